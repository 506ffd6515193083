"""Long runs take no more memory than short ones."""

import resource
from pathlib import Path

import pytest
from box import ELASTIC, UNDRAWN, create_tables
from mpi4py import MPI

import chemomech
from chemomech.config import create_config
from chemomech.solvers.time_stepping import Bdf

COMM = MPI.COMM_WORLD
STEPS = 2000


def read_resident_size():
    """Resident size of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["direct", "iterative"])
def test_two_thousand_steps_stay_within_five_percent(folder, monkeypatch, preset):
    step = {"kind": "galvanostatic", "direction": "lithiate", "c_rate": 20.0, "duration": "20 s"}
    config = create_config(
        create_tables(
            mechanics=ELASTIC,
            reaction=[{"kind": "butler_volmer", "group": "surface", "rate_constant": "1e-8 m/s"}],
            schedule={"step": [step]},
            time={"end": "20 s", "first_step": "10 ms", "adaptive": False},
            solver={"preset": preset},
            output={"count": 40, **UNDRAWN},
            # At every hundredth step, so that they are among what might pile up.
            checkpoint={"steps": 100},
        )
    )
    sizes = []
    advance = Bdf.advance

    def weigh(self, target, events=()):
        step = advance(self, target, events)
        sizes.append(read_resident_size())
        return step

    monkeypatch.setattr(Bdf, "advance", weigh)
    chemomech.simulate(config, folder / "results", COMM, quiet=True)
    assert len(sizes) >= STEPS
    assert max(sizes[100:]) <= 1.05 * sizes[100]

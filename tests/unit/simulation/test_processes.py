"""A process that a user writes: solved with both presets, restarted, recorded and filmed."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from box import ELASTIC, create_tables
from mpi4py import MPI
from stopping import stopped_after

import chemomech
from chemomech.config import create_config
from chemomech.forms.energy import FreeEnergyDensity
from chemomech.geometry.files.fields import read_field
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import ConstantMobility
from chemomech.models.building import create_problem
from chemomech.output.ledger import read_ledger
from chemomech.problems.diffusion import Diffusion
from chemomech.problems.field_conditions import DirichletCondition
from chemomech.problems.observables import Observable
from chemomech.solvers.presets import Preset

COMM = MPI.COMM_WORLD
ATTRACTION = -1.5
TABLE = create_tables(
    mesh={"size": "2.5 nm"},
    mechanics=ELASTIC,
    initial={"kind": "noise", "mean": 0.5, "amplitude": 0.05, "seed": 1},
    time={"end": "0.4 s"},
    output={"count": 3, "pictures": False},
    checkpoint={"steps": 4},
)


class Dopant:
    """A second species that lithium attracts: F gains the integral of w c d."""

    def __init__(self, problem):
        energy = FreeEnergyDensity(RegularSolution(0.5), 4.0)
        self._diffusion = Diffusion(
            problem.domain,
            energy,
            ConstantMobility(0.2),
            problem.mass_coefficient,
            problem.discretisation,
            ("d", "mu_d"),
        )
        d, dx = self._diffusion.c, self._diffusion.dx
        d.x.array[:] = 0.3
        own = self._diffusion.energies
        self.energies = {
            "dopant": own["chemical"] + own["gradient"],
            "attraction": ATTRACTION * problem.c * d * dx,
        }
        self.varying = self._diffusion.varying
        mean = problem.compile_integral(d)
        problem.observables.append(Observable("dopant_mean", lambda: mean() / problem.volume))
        problem.recorded.append(d)

    def create_fields(self, energy):
        return self._diffusion.create_fields(energy)


CREATE = partial(create_problem, processes=[Dopant])


def simulate(preset, folder, tables=None, **options):
    config = create_config(TABLE | {"solver": {"preset": preset}} | (tables or {}))
    return chemomech.simulate(config, folder, COMM, **{"quiet": True, "create": CREATE} | options)


@pytest.fixture(scope="module", params=[each.value for each in Preset])
def preset(request):
    return request.param


@pytest.fixture(scope="module")
def whole(preset, tmp_path_factory):
    """Folder of an undisturbed run."""
    path = Path(COMM.bcast(str(tmp_path_factory.mktemp("whole")))) / "run"
    COMM.barrier()
    simulate(preset, path)
    COMM.barrier()
    return path


def test_it_is_solved_recorded_and_filmed(whole):
    """Lithium and dopant are kept, the energy falls, and the dopant gathers in rich places."""
    ledger = read_ledger(whole / "ledger.csv")
    np.testing.assert_allclose(ledger["dopant_mean"], 0.3, rtol=1e-11)
    assert np.abs(ledger["lithium_balance_error"]).max() < 1e-11
    energies = ledger["energy_total_J_per_m"]
    assert (np.diff(energies) <= 1e-9 * np.abs(energies).max()).all()
    assert len(energies) > 10
    assert (whole / "movie.mp4").stat().st_size > 0
    if COMM.rank == 0:
        c, d = read_last_fields(whole)
        assert np.ptp(c) > 0.1
        assert np.corrcoef(c, d)[0, 1] > 0.9
    COMM.barrier()


def test_restarted_it_ends_as_if_undisturbed(whole, preset, folder, monkeypatch):
    with stopped_after(9, monkeypatch):
        simulate(preset, folder / "parts")
    simulate(preset, folder / "parts", restart=True)
    undisturbed, parts = (read_ledger(path / "ledger.csv") for path in (whole, folder / "parts"))
    # MUMPS sums on several ranks in the order in which messages arrive.
    tolerance = 0.0 if COMM.size == 1 else 1e-8 if preset == "direct" else 1e-12
    for name in ("lithium_mean", "dopant_mean", "c_min", "c_max", "energy_total_J_per_m"):
        scale = np.abs(undisturbed[name]).max()
        np.testing.assert_allclose(parts[name], undisturbed[name], rtol=0, atol=tolerance * scale)
    if COMM.rank == 0:
        for mine, theirs in zip(
            read_last_fields(folder / "parts"), read_last_fields(whole), strict=True
        ):
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=tolerance)
    COMM.barrier()


@pytest.mark.one_rank
def test_what_a_held_composition_lets_in_is_in_the_balance(folder, preset):
    """A run of a configuration, with composition held at one end of the box from Python."""
    held = [DirichletCondition("c", "left", 0.8)]
    simulate(preset, folder / "run", create=partial(create_problem, conditions=held))
    ledger = read_ledger(folder / "run" / "ledger.csv")
    mean = ledger["lithium_mean"]
    assert mean[-1] > mean[0] + 0.01
    # What Newton's method may leave: a share of 0.3 of the tolerance, 1e-3.
    assert np.abs(ledger["lithium_balance_error"]).max() < 3e-4
    assert ledger["c_max"].min() >= 0.8 - 1e-12


def read_last_fields(folder):
    """Composition and dopant at the vertices, at the end of a run."""
    file = folder / "fields.vtkhdf"
    return [read_field(file, name).values for name in ("composition", "d")]

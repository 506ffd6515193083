"""Stop a run in the middle, as a signal does, and go on with it."""

from contextlib import contextmanager

import pytest
from mpi4py import MPI

import chemomech
from chemomech.errors import StoppedEarly
from chemomech.output.ledger import read_ledger
from chemomech.simulation.interruption import StopRequest


def stop_after(count, patch):
    """Ask a run to stop after so many steps; ``patch`` is pytest's monkeypatch."""
    asked = iter(range(count))
    patch.setattr(
        StopRequest, "ask", lambda _: None if next(asked, None) is not None else "stopped"
    )


@contextmanager
def stopped_after(count, patch):
    """Stop the run of this block after so many steps."""
    with patch.context() as inner:
        stop_after(count, inner)
        with pytest.raises(StoppedEarly):
            yield
    MPI.COMM_WORLD.barrier()


def run_whole_and_in_parts(config, folder, patch, count):
    """Ledgers of an undisturbed run, and of one that is stopped on the way and gone on with."""
    comm = MPI.COMM_WORLD
    chemomech.simulate(config, folder / "whole", comm, quiet=True)
    with stopped_after(count, patch):
        chemomech.simulate(config, folder / "parts", comm, quiet=True)
    chemomech.simulate(config, folder / "parts", comm, quiet=True, restart=True)
    return [read_ledger(folder / name / "ledger.csv") for name in ("whole", "parts")]

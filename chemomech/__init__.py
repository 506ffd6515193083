"""Phase separation and stress in battery particles: Cahn-Hilliard coupled to mechanics.

    from mpi4py import MPI
    import chemomech

    config = chemomech.load_config("demos/bent_nanowire.toml", MPI.COMM_WORLD)
    chemomech.simulate(config, "results", MPI.COMM_WORLD)

The names below are the public ones; each is imported when it is first used, so that neither the
command line's help nor a look at a configuration waits for the finite elements.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chemomech.analysis.domains import analyse_domains
    from chemomech.analysis.plotting import plot_field
    from chemomech.analysis.results import open_run, open_stress
    from chemomech.analysis.run_statistics import analyse_run
    from chemomech.analysis.wire_coordinates import locate_along_wire
    from chemomech.config import (
        Config,
        MeasurementConfig,
        StressConfig,
        create_config,
        format_config,
        load_config,
    )
    from chemomech.errors import ChemoMechError, ConvergenceError, InputError, StoppedEarly
    from chemomech.mapping.measure import measure
    from chemomech.mapping.stress import stress
    from chemomech.output.ledger import read_ledger
    from chemomech.reporting.writing import write_report
    from chemomech.run import simulate, validate, write_mesh

_HOMES = {
    "ChemoMechError": "chemomech.errors",
    "Config": "chemomech.config",
    "ConvergenceError": "chemomech.errors",
    "InputError": "chemomech.errors",
    "MeasurementConfig": "chemomech.config",
    "StoppedEarly": "chemomech.errors",
    "StressConfig": "chemomech.config",
    "analyse_domains": "chemomech.analysis.domains",
    "analyse_run": "chemomech.analysis.run_statistics",
    "create_config": "chemomech.config",
    "format_config": "chemomech.config",
    "load_config": "chemomech.config",
    "locate_along_wire": "chemomech.analysis.wire_coordinates",
    "measure": "chemomech.mapping.measure",
    "open_run": "chemomech.analysis.results",
    "open_stress": "chemomech.analysis.results",
    "plot_field": "chemomech.analysis.plotting",
    "read_ledger": "chemomech.output.ledger",
    "simulate": "chemomech.run",
    "stress": "chemomech.mapping.stress",
    "validate": "chemomech.run",
    "write_mesh": "chemomech.run",
    "write_report": "chemomech.reporting.writing",
}

__all__ = [
    "ChemoMechError",
    "Config",
    "ConvergenceError",
    "InputError",
    "MeasurementConfig",
    "StoppedEarly",
    "StressConfig",
    "analyse_domains",
    "analyse_run",
    "create_config",
    "format_config",
    "load_config",
    "locate_along_wire",
    "measure",
    "open_run",
    "open_stress",
    "plot_field",
    "read_ledger",
    "simulate",
    "stress",
    "validate",
    "write_mesh",
    "write_report",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""Measure the domains of a run, its shape and phases taken from its configuration."""

from __future__ import annotations

from chemomech.analysis.domains import DomainStatistics, analyse_domains, analyse_phases
from chemomech.analysis.results import RunResults
from chemomech.analysis.wire_coordinates import WireCoordinates, locate_along_wire
from chemomech.config import NanowireConfig
from chemomech.geometry.nanowire import Nanowire
from chemomech.models.particle import create_shape


def analyse_run(results: RunResults, time: float | None = None) -> DomainStatistics:
    """Measure the Li-rich domains of a run, in a nanowire along its axis.

    Li-rich is what is not of the phase poorest in lithium, as in the ledger. The snapshot nearest
    to a time in s is taken, the last one where None.
    """
    threshold = results.config.material.phase_limits[0]
    c = results.read("composition", time)
    return analyse_domains(results.grid, c, find_wire(results), threshold)


def analyse_run_phases(
    results: RunResults, time: float | None = None
) -> tuple[DomainStatistics, ...]:
    """Measure the domains of each phase of a run that has a name.

    The snapshot nearest to a time in s is taken, the last one where None. Where phases have no
    names, the Li-rich domains of `analyse_run` are measured.
    """
    material = results.config.material
    names = [phase.name for phase in material.named_phases]
    if not names:
        return (analyse_run(results, time),)
    c = results.read("composition", time)
    return analyse_phases(results.grid, c, find_wire(results), names, material.phase_limits)


def find_wire(results: RunResults) -> WireCoordinates | None:
    """Locate the vertices of a run's mesh in its nanowire.

    Args:
        results: The run; see `open_run`.

    Returns:
        Coordinates along and across the wire in nm, see `locate_along_wire`; None for other shapes.
    """
    if not isinstance(results.config.geometry, NanowireConfig):
        return None
    shape = create_shape(results.config.geometry)
    assert isinstance(shape, Nanowire)
    return locate_along_wire(results.grid, shape)

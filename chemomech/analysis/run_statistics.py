"""Measure the domains of a run, its shape taken from its configuration."""

from __future__ import annotations

from chemomech.analysis.domains import DomainStatistics, analyse_domains
from chemomech.analysis.results import RunResults
from chemomech.analysis.wire_coordinates import WireCoordinates, locate_along_wire
from chemomech.config import NanowireConfig
from chemomech.geometry.nanowire import Nanowire
from chemomech.models.particle import create_shape


def analyse_run(results: RunResults, time: float | None = None) -> DomainStatistics:
    """Measure the Li-rich domains of a run, in a nanowire along its axis.

    The snapshot nearest to a time in s is taken, the last one where None.
    """
    return analyse_domains(results.grid, results.read("composition", time), find_wire(results))


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

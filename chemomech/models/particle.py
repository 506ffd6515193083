"""The particle of a configuration: its shape, its mesh, and the direction along the wire."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from chemomech import config as cfg
from chemomech.errors import InputError, naming, run_on_root
from chemomech.geometry.box import Box
from chemomech.geometry.domain import Domain
from chemomech.geometry.frame import create_wire_tangent, require_clear_ends
from chemomech.geometry.meshing import create_domain, read_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.geometry.outline import Outline
from chemomech.machine import find_memory
from chemomech.models.estimate import describe_needs, estimate_size, require_memory

_log = logging.getLogger(__name__)

Shape = Nanowire | Box | Outline

_ROUNDING = 1e-9
# Distance from the origin, in extents of the particle, up to which its coordinates are kept.
_FAR = 1e4


@dataclass(frozen=True)
class Particle:
    """A meshed particle.

    Args:
        domain: Mesh and facet groups.
        tangent: Unit vector along the wire in each cell; None where the shape has no such thing.
    """

    domain: Domain
    tangent: fem.Function | None


def create_particle(
    config: cfg.Config, comm: MPI.Comm, owners: NDArray[np.int32] | None = None
) -> Particle:
    """Create or read the mesh, and the wire's frame where one is meant.

    Args:
        config: The configuration.
        comm: Ranks that share the mesh.
        owners: Rank of each cell, looked at on rank 0; None lets the mesh be divided anew.

    Raises:
        InputError: If the shape cannot be made or read, its mesh is too coarse, the problem does
            not fit into the memory, or a law in the wire's frame has no two clear ends to go by.
    """
    shape = run_on_root(comm, lambda: create_shape(config.geometry))
    if shape is None:
        assert isinstance(config.geometry, cfg.MeshFileConfig)
        domain = read_domain(config.geometry.file, comm, config.geometry.unit, owners)
        _check_resolution(config, domain)
    else:
        assert config.mesh_size is not None
        _check_size(config, shape, comm)
        domain = create_domain(shape, config.mesh_size, comm, config.mesh.cell, owners)
    key = _find_wire_frame(config)
    if key is not None and not isinstance(shape, Nanowire):
        with naming(key=key):
            require_clear_ends(domain)
    wanted = isinstance(shape, Nanowire | Outline) or key is not None
    tangent = create_wire_tangent(domain, shape) if wanted else None
    return Particle(domain, tangent)


def write_mesh(config: cfg.Config, path: Path, comm: MPI.Comm) -> None:
    """Mesh the particle and write the mesh with its groups to a file.

    Args:
        config: The configuration; only geometry and mesh size are used.
        path: File to create, coordinates in nanometres; see `write_mesh_file` for formats.
        comm: Ranks that share the mesh.

    Raises:
        InputError: If the particle cannot be meshed or the file's name cannot be used.
        OSError: If the file cannot be written.
    """
    # Here: no other pipeline waits for meshio.
    from chemomech.output.mesh_files import write_mesh_file

    write_mesh_file(create_particle(config, comm).domain, path)


def _check_size(config: cfg.Config, shape: Shape, comm: MPI.Comm) -> None:
    """Say what the mesh will need, and refuse what does not fit into the memory; collective."""
    size = estimate_size(config, shape)
    assert size is not None
    require_memory(config, size, comm.size, find_memory(comm))
    if comm.rank == 0:
        _log.info("%s", describe_needs(size, size.choose_preset(config), comm.size))


def create_shape(geometry: cfg.GeometryConfig) -> Shape | None:
    """Create the shape of a ``[geometry]`` table, in metres; None for a mesh file."""
    match geometry:
        case cfg.NanowireConfig():
            return Nanowire(
                width=geometry.width,
                bend_radius=geometry.bend_radius,
                bend_angle=geometry.bend_angle,
                legs=geometry.legs,
                thickness=geometry.thickness,
            )
        case cfg.BoxConfig():
            return Box(geometry.size, geometry.periodic)
        case cfg.OutlineConfig():
            return _read_outline(geometry)
    return None


def count_cells_across(config: cfg.Config, domain: Domain) -> float | None:
    """Count the largest cells across a stress-free interface, None without one; collective."""
    width = config.material.interface_width
    if width is None:
        return None
    # Of a square or cube the diameter is the diagonal; on simplices edge and diameter are one.
    cell = domain.mesh.topology.cell_name()
    diagonal = {"quadrilateral": 2**0.5, "hexahedron": 3**0.5}.get(cell, 1.0)
    return width / (domain.quality().h_max / diagonal * domain.length_unit)


def _read_outline(geometry: cfg.OutlineConfig) -> Outline:
    # Here: other shapes need not wait for all that images take.
    from chemomech.geometry.files.geojson import read_outline_geojson
    from chemomech.geometry.files.images import read_outline_image

    if geometry.is_image:
        assert geometry.pixel_size is not None
        return read_outline_image(
            geometry.file,
            geometry.pixel_size,
            geometry.level,
            geometry.region,
            geometry.particle,
        )
    assert geometry.unit is not None
    outline = read_outline_geojson(geometry.file, geometry.unit, geometry.particle)
    return _move_to_origin(outline, geometry)


def _move_to_origin(outline: Outline, geometry: cfg.OutlineConfig) -> Outline:
    """Move an outline that is far from the origin there: no picture could tell its points apart."""
    assert geometry.unit is not None
    lowest = outline.exterior.min(axis=0)
    if np.abs(lowest).max() <= _FAR * np.ptp(outline.exterior, axis=0).max():
        return outline
    x, y = lowest / geometry.unit
    _log.warning(
        "%s: the particle lies far from the origin; coordinates of the results begin at its lower "
        "left corner, (%.12g, %.12g) in the file",
        geometry.file,
        x,
        y,
    )
    return Outline(
        outline.exterior - lowest, tuple(hole - lowest for hole in outline.holes), outline.cut
    )


def _find_wire_frame(config: cfg.Config) -> str | None:
    """Find the key that puts a law in the wire's frame; None if no law is."""
    return next((key for key, frame in config.frames.items() if frame == "wire"), None)


def _check_resolution(config: cfg.Config, domain: Domain) -> None:
    """Refuse a mesh from a file that does not resolve the interface."""
    width, cells = config.material.interface_width, config.cells_needed
    if width is None or cells is None or config.mesh.allow_coarse:
        return
    # Diameters are diagonals, of squares, of halves of squares or of cubes; edges must be small.
    cell = domain.mesh.topology.cell_name()
    diagonal = 3**0.5 if cell == "hexahedron" else 2**0.5
    edge = domain.quality().h_mean / diagonal * domain.length_unit
    needed = width / cells
    if edge > needed * (1 + _ROUNDING):
        raise InputError(
            f"cells of about {edge:.3g} m are too coarse for an interface {width:.3g} m wide: at "
            f"most {needed:.3g} m, or set mesh.allow_coarse = true",
            key="geometry.file",
        )

"""A distributed mesh whose parts, of its boundary and of its body, are known by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx.mesh import Mesh, MeshTags
from mpi4py import MPI
from ufl.core.expr import Expr

from chemomech.errors import InputError, suggest
from chemomech.geometry.measures import WeightedMeasure
from chemomech.geometry.shape_measure import compute_shape_measure

MESH_LENGTH_UNIT = 1e-9
"""Length, in m, of one unit of mesh coordinates: meshes are in nanometres."""


@dataclass(frozen=True)
class MeshQuality:
    """Size of a mesh, diameters of its cells (nm) and shape of the worst, over all ranks.

    The shape measure is 1 for an equilateral or rectangular cell, 0 for a degenerate one.
    """

    cells: int
    vertices: int
    h_min: float
    h_max: float
    h_mean: float
    worst_shape: float


@dataclass(frozen=True)
class Domain:
    """A mesh and the named parts of its boundary and of its body.

    Args:
        mesh: Distributed mesh.
        facet_tags: One tag for each marked facet.
        groups: Tags that make up each named group; groups may share tags, as ``surface`` and
            ``inner`` do.
        length_unit: Length, in m, of one unit of the mesh coordinates.
        weight: Factor of all integrands, such as 2 pi r of a round body; None for one.
        cell_tags: One tag for each cell of a named group; None where no cells are named.
        cell_groups: Tags that make up each named group of cells; groups may share tags.
    """

    mesh: Mesh
    facet_tags: MeshTags
    groups: Mapping[str, tuple[int, ...]]
    length_unit: float = MESH_LENGTH_UNIT
    weight: Expr | None = None
    cell_tags: MeshTags | None = None
    cell_groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def dx(self, degree: int) -> WeightedMeasure:
        """Measure of the volume, in 2-D of the area, by quadrature of the degree given.

        :meth:`cell_tags_of` divide it.
        """
        return self._create_measure("dx", self.cell_tags, degree)

    def ds(self, degree: int) -> WeightedMeasure:
        """Measure of the surface, which :meth:`tags` divide, by quadrature of the degree given."""
        return self._create_measure("ds", self.facet_tags, degree)

    def _create_measure(self, kind: str, tags: MeshTags | None, degree: int) -> WeightedMeasure:
        rule = {"quadrature_degree": degree}
        measure = ufl.Measure(kind, domain=self.mesh, subdomain_data=tags, metadata=rule)
        return WeightedMeasure(measure, self.weight)

    def tags(self, name: str) -> tuple[int, ...]:
        """Facet tags of a group, as ``ufl.ds(tags, subdomain_data=facet_tags)`` takes them.

        Raises:
            InputError: There is no such group.
        """
        # A mesh from a file in which nothing but the body has a name has one group.
        advice = "parts of the boundary need physical groups of their own in gmsh"
        return _find(name, self.groups, "facet group", advice if len(self.groups) == 1 else "")

    def facets(self, name: str) -> npt.NDArray[np.int32]:
        """Facets of a group on this rank, ascending, as ``locate_dofs_topological`` takes them.

        Raises:
            InputError: There is no such group.
        """
        return _select(self.facet_tags, self.tags(name))

    def cell_tags_of(self, name: str) -> tuple[int, ...]:
        """Cell tags of a group, as ``domain.dx(degree)(tags)`` takes them.

        Raises:
            InputError: There is no such group.
        """
        advice = "parts of the body are physical groups of a mesh made in gmsh"
        return _find(name, self.cell_groups, "cell group", "" if self.cell_groups else advice)

    def cells(self, name: str) -> npt.NDArray[np.int32]:
        """Cells of a group on this rank, ascending.

        Raises:
            InputError: There is no such group.
        """
        tags = self.cell_tags_of(name)
        assert self.cell_tags is not None
        return _select(self.cell_tags, tags)

    def quality(self) -> MeshQuality:
        """Compute size and shape of the mesh; collective, the same on all ranks."""
        mesh, comm = self.mesh, self.mesh.comm
        index_map = mesh.topology.index_map(mesh.topology.dim)
        owned = np.arange(index_map.size_local, dtype=np.int32)
        diameters = mesh.h(mesh.topology.dim, owned)
        shapes = compute_shape_measure(mesh)
        total = comm.allreduce(float(diameters.sum()), op=MPI.SUM)
        return MeshQuality(
            cells=index_map.size_global,
            vertices=mesh.topology.index_map(0).size_global,
            h_min=comm.allreduce(float(np.min(diameters, initial=np.inf)), op=MPI.MIN),
            h_max=comm.allreduce(float(np.max(diameters, initial=0.0)), op=MPI.MAX),
            h_mean=total / index_map.size_global,
            worst_shape=comm.allreduce(float(np.min(shapes, initial=1.0)), op=MPI.MIN),
        )


def _find(
    name: str, groups: Mapping[str, tuple[int, ...]], kind: str, advice: str
) -> tuple[int, ...]:
    """Tags of a group, or an error that names the known ones."""
    if name in groups:
        return groups[name]
    known = "; ".join(filter(None, (", ".join(sorted(groups)) or "none", advice)))
    raise InputError(f"no {kind} {name!r}{suggest(name, groups)} (known groups: {known})")


def _select(mesh_tags: MeshTags, tags: tuple[int, ...]) -> npt.NDArray[np.int32]:
    """Entities that bear one of the tags."""
    return np.asarray(mesh_tags.indices[np.isin(mesh_tags.values, tags)], dtype=np.int32)

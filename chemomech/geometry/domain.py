"""A distributed mesh whose boundary parts are known by name."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import ufl
from dolfinx.mesh import Mesh, MeshTags
from mpi4py import MPI
from ufl.core.expr import Expr

from chemomech.errors import InputError
from chemomech.geometry.measures import WeightedMeasure
from chemomech.geometry.shape_measure import compute_shape_measure

MESH_LENGTH_UNIT = 1e-9
"""Length, in m, of one unit of mesh coordinates: meshes are in nanometres."""


@dataclass(frozen=True)
class MeshQuality:
    """Size and shape of a mesh, over all ranks.

    Args:
        cells: Number of cells.
        vertices: Number of vertices.
        h_min: Smallest cell diameter, in mesh units (nm).
        h_max: Largest cell diameter, in mesh units (nm).
        h_mean: Mean cell diameter, in mesh units (nm).
        worst_shape: Smallest shape measure of a cell: 1 is equilateral or rectangular, 0
            degenerate.
    """

    cells: int
    vertices: int
    h_min: float
    h_max: float
    h_mean: float
    worst_shape: float


@dataclass(frozen=True)
class Domain:
    """A mesh and the named parts of its boundary.

    Args:
        mesh: Distributed mesh.
        facet_tags: One tag for each marked facet.
        groups: Tags that make up each named group; groups may share tags, as ``surface`` and
            ``inner`` do.
        length_unit: Length, in m, of one unit of the mesh coordinates.
        weight: Factor of all integrands, such as 2 pi r of a round body; None for one.
    """

    mesh: Mesh
    facet_tags: MeshTags
    groups: Mapping[str, tuple[int, ...]]
    length_unit: float = MESH_LENGTH_UNIT
    weight: Expr | None = None

    def dx(self, degree: int) -> WeightedMeasure:
        """Measure of the volume, in 2-D of the area, by quadrature of the degree given."""
        rule = {"quadrature_degree": degree}
        return WeightedMeasure(ufl.Measure("dx", domain=self.mesh, metadata=rule), self.weight)

    def ds(self, degree: int) -> WeightedMeasure:
        """Measure of the surface, which :meth:`tags` divide, by quadrature of the degree given."""
        ds = ufl.Measure(
            "ds",
            domain=self.mesh,
            subdomain_data=self.facet_tags,
            metadata={"quadrature_degree": degree},
        )
        return WeightedMeasure(ds, self.weight)

    def tags(self, name: str) -> tuple[int, ...]:
        """Facet tags of a group, as ``ufl.ds(tags, subdomain_data=facet_tags)`` takes them.

        Args:
            name: Name of the group.

        Raises:
            InputError: There is no such group.
        """
        if name in self.groups:
            return self.groups[name]
        known = ", ".join(sorted(self.groups)) or "none"
        close = difflib.get_close_matches(name, self.groups, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        if len(self.groups) == 1:
            # A mesh from a file in which nothing but the body has a name.
            known += "; parts of the boundary need physical groups of their own in gmsh"
        raise InputError(f"no facet group {name!r}{hint} (known groups: {known})")

    def facets(self, name: str) -> npt.NDArray[np.int32]:
        """Facets of a group on this rank, ascending, as ``locate_dofs_topological`` takes them.

        Args:
            name: Name of the group.

        Raises:
            InputError: There is no such group.
        """
        chosen = np.isin(self.facet_tags.values, self.tags(name))
        return np.asarray(self.facet_tags.indices[chosen], dtype=np.int32)

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

"""Rollers: planes of any direction on which the normal displacement is held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy  # which loads its parts when they are used
from dolfinx import default_scalar_type, fem
from dolfinx.mesh import entities_to_geometry
from mpi4py import MPI
from numpy.typing import NDArray

from chemomech.arrays import FloatArray
from chemomech.errors import InputError
from chemomech.fenicsx import get_cell_nodes
from chemomech.forms.fields import NodalAxes
from chemomech.geometry.domain import Domain

#: Angle, in rad, up to which facets lie in one plane, and sine of that between two planes.
_PLANE = 1e-6
#: Components up to which a normal is a coordinate axis.
_ALIGNED = 1e-8


@dataclass(frozen=True)
class Roller:
    """u . n = value on a plane group, n outward, without shear traction.

    Args:
        group: Facet group, of one plane or of parallel ones.
        value: In the mesh's length unit; positive pulls.
        key: Of the configuration that states it, for one that is refused.
    """

    group: str
    value: float = 0.0
    key: str = "mechanics.boundary"


def hold_normals(
    space: fem.FunctionSpace,
    domain: Domain,
    rollers: Sequence[Roller],
    clamped: Sequence[NDArray[np.int32]],
) -> tuple[list[fem.DirichletBC], NodalAxes | None]:
    """Create the conditions of rollers on a vector space, and the axes they need; collective.

    Where a plane is tilted, unknowns are components along its normal and across it, so that
    the normal one is held like any other. At a node of several planes the second axis lies in
    the first plane, and so on. Nodes that are ``clamped`` are left to other conditions.

    Raises:
        InputError: A group is unknown or no plane, or two in one plane have different values.
    """
    if not rollers:
        return [], None
    normals = [_find_normal(domain, roller) for roller in rollers]
    size = space.dofmap.index_map_bs
    held: dict[tuple[int, float], list[NDArray[np.intp]]] = defaultdict(list)
    turned: list[tuple[NDArray[np.intp], FloatArray]] = []
    for chosen, nodes in _group_nodes(space, domain, rollers, clamped):
        axes, values = _create_axes([rollers[i] for i in chosen], [normals[i] for i in chosen])
        components = np.arange(len(values))
        if _are_aligned(axes[: len(values)]):
            components = np.abs(axes[: len(values)]).argmax(axis=1)
            values = values * axes[range(len(values)), components]
        else:
            turned.append((nodes, np.tile(axes, (len(nodes), 1, 1))))
        for component, value in zip(components, values, strict=True):
            held[int(component), float(value)].append(size * nodes + component)
    conditions = [
        fem.dirichletbc(
            default_scalar_type(value),
            np.sort(np.concatenate(dofs)).astype(np.int32),
            space.sub(component),
        )
        for (component, value), dofs in held.items()
    ]
    if not turned:
        return conditions, None
    nodes, rotations = (np.concatenate(part) for part in zip(*turned, strict=True))
    return conditions, NodalAxes(nodes.astype(np.int32), rotations)


def _group_nodes(
    space: fem.FunctionSpace,
    domain: Domain,
    rollers: Sequence[Roller],
    clamped: Sequence[NDArray[np.int32]],
) -> list[tuple[list[int], NDArray[np.intp]]]:
    """List the sets of rollers that meet anywhere, and this rank's nodes where each set does.

    All ranks have the same sets, so that a refusal is one of all.
    """
    index_map = space.dofmap.index_map
    touches = np.zeros((index_map.size_local + index_map.num_ghosts, len(rollers)), dtype=np.bool_)
    for column, roller in enumerate(rollers):
        facets = domain.facets(roller.group)
        nodes = fem.locate_dofs_topological(space, domain.mesh.topology.dim - 1, facets)
        touches[nodes, column] = True
    for nodes in clamped:
        touches[nodes] = False
    mine = {tuple(row) for row in np.unique(touches[touches.any(axis=1)], axis=0).tolist()}
    return [
        ([i for i, is_in in enumerate(row) if is_in], np.flatnonzero((touches == row).all(axis=1)))
        for row in sorted(set().union(*domain.mesh.comm.allgather(mine)))
    ]


def _create_axes(
    rollers: Sequence[Roller], normals: Sequence[FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Orthonormal axes as rows, and what is held along the first ones, where planes meet."""
    axes: list[FloatArray] = []
    values: list[float] = []
    largest = max(abs(roller.value) for roller in rollers)
    for roller, normal in zip(rollers, normals, strict=True):
        shares = [float(axis @ normal) for axis in axes]
        follows = sum(share * value for share, value in zip(shares, values, strict=True))
        rest = normal - sum(share * axis for share, axis in zip(shares, axes, strict=True))
        length = float(np.linalg.norm(rest))
        if length > _PLANE:
            axes.append(np.asarray(rest / length, dtype=np.float64))
            values.append((roller.value - follows) / length)
        elif abs(roller.value - follows) > _PLANE * largest:
            raise InputError(
                f"rollers meet that contradict one another: {roller.value:g} on group "
                f"'{roller.group}', where others make it {follows:g}",
                key=roller.key,
            )
    found = np.array(axes)
    return np.vstack([found, scipy.linalg.null_space(found).T]), np.array(values)


def _are_aligned(axes: FloatArray) -> bool:
    return bool((np.abs(axes).max(axis=1) == 1.0).all())


def _find_normal(domain: Domain, roller: Roller) -> FloatArray:
    """Outward unit normal of a plane group; collective.

    Where a value is zero, parallel planes that face one another are as good as one.
    """
    mesh = domain.mesh
    dimension = mesh.geometry.dim
    normals = _list_normals(domain, roller.group)
    sizes = np.linalg.norm(normals, axis=1)
    tensor = mesh.comm.allreduce((normals / sizes[:, None]).T @ normals)
    normal = np.linalg.eigh(tensor)[1][:, -1]
    along = normals @ normal
    tilts = np.linalg.norm(normals - along[:, None] * normal, axis=1) / sizes
    angle = np.arcsin(min(1.0, mesh.comm.allreduce(tilts.max(initial=0.0), op=MPI.MAX)))
    if angle > _PLANE:
        raise InputError(
            f"a roller needs a plane, and group '{roller.group}' is not one: its facets are tilted "
            f"by up to {np.degrees(angle):.3g} degrees; use 'clamped' or 'displacement'",
            key=roller.key,
        )
    outward, total = mesh.comm.allreduce(np.array([along.sum(), sizes.sum()]))
    if roller.value and abs(outward) < (1.0 - _PLANE) * total:
        raise InputError(
            f"group '{roller.group}' faces both ways, so that a displacement along its normal "
            "is none; give each side a group",
            key=roller.key,
        )
    normal = normal if outward >= 0.0 else -normal
    axis = int(np.abs(normal).argmax())
    nearest = np.sign(normal[axis]) * np.eye(dimension)[axis]
    return nearest if np.abs(normal - nearest).max() < _ALIGNED else normal


def _list_normals(domain: Domain, group: str) -> FloatArray:
    """Outward normals of this rank's facets of a group, as long as facets are large."""
    mesh = domain.mesh
    dimension = mesh.topology.dim
    mesh.topology.create_connectivity(dimension - 1, dimension)
    mesh.topology.create_connectivity(dimension, dimension - 1)
    facets = domain.facets(group)
    facets = facets[facets < mesh.topology.index_map(dimension - 1).size_local]
    if not len(facets):
        return np.empty((0, dimension))
    x = mesh.geometry.x[entities_to_geometry(mesh, dimension - 1, facets)]
    edge = x[:, 1] - x[:, 0]
    other = x[:, 2] - x[:, 0] if dimension == 3 else np.tile([0.0, 0.0, 1.0], (len(x), 1))
    normals = np.cross(edge, other)
    links = mesh.topology.connectivity(dimension - 1, dimension)
    cells = links.array[links.offsets[facets]]
    centres = mesh.geometry.x[get_cell_nodes(mesh.geometry)[cells]].mean(axis=1)
    outward = np.sign(((x.mean(axis=1) - centres) * normals).sum(axis=1))
    return np.asarray((outward[:, None] * normals)[:, :dimension])

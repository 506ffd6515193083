"""Boundary conditions by group name, and what they leave free."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from dolfinx import default_scalar_type, fem, la
from mpi4py import MPI
from numpy.typing import NDArray
from ufl.form import Form

from chemomech.errors import InputError
from chemomech.forms.fields import NodalAxes, find_owned_dofs
from chemomech.geometry.components import find_bodies
from chemomech.geometry.domain import Domain
from chemomech.geometry.periodicity import find_periods
from chemomech.problems.rollers import Roller, hold_normals

#: Share of a load, by norm, that may act on a motion nothing resists: round-off, not a mistake.
_IMBALANCE = 1e-8


@dataclass(frozen=True)
class Displacement:
    """u = value on a group.

    Args:
        group: Facet group.
        value: Displacement components in the mesh's length unit; None clamps the group.
    """

    group: str
    value: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Traction:
    """sigma . n = value on a group.

    Args:
        group: Facet group.
        value: Components in the problem's unit of stress.
    """

    group: str
    value: tuple[float, ...]


Support = Displacement | Roller


@dataclass(frozen=True)
class Loads:
    """Supports and tractions of a particle.

    Args:
        supports: Clamps, prescribed displacements and rollers; none leaves the body free.
        tractions: Dead surface loads.
    """

    supports: Sequence[Support] = field(default=())
    tractions: Sequence[Traction] = field(default=())


def create_dirichlet_conditions(
    space: fem.FunctionSpace, domain: Domain, supports: Sequence[Support]
) -> tuple[list[fem.DirichletBC], NodalAxes | None]:
    """Create the Dirichlet conditions of a vector space of displacements; collective.

    Returns:
        The conditions, and the axes along which they hold at nodes of tilted rollers, if any.

    Raises:
        InputError: If a group is unknown, a value has the wrong number of components, or a roller's
            group is no plane.
    """
    conditions, clamped = [], []
    dimension = domain.mesh.topology.dim - 1
    for support in supports:
        if isinstance(support, Roller):
            continue
        value = support.value or (0.0,) * domain.mesh.geometry.dim
        require_components(support.group, value, domain.mesh.geometry.dim)
        facets = domain.facets(support.group)
        clamped.append(fem.locate_dofs_topological(space, dimension, facets))
        constant = np.array(value, dtype=default_scalar_type)
        conditions.append(fem.dirichletbc(constant, clamped[-1], space))
    rollers = [support for support in supports if isinstance(support, Roller)]
    held, axes = hold_normals(space, domain, rollers, clamped)
    return [*conditions, *held], axes


def require_components(group: str, value: Sequence[float], dimension: int) -> None:
    """Refuse a vector for a group that does not have ``dimension`` components."""
    if len(value) != dimension:
        raise InputError(
            f"{len(value)} components given for group '{group}', {dimension} needed",
            key="mechanics.boundary",
        )


def create_rigid_modes(
    space: fem.FunctionSpace, axes: NodalAxes | None = None
) -> list[NDArray[np.float64]]:
    """All rigid motions of a mesh as a whole, as owned dof arrays: three in 2-D, six in 3-D.

    They are given along the axes. Of a periodic mesh they are those that repeat.

    Multigrid needs no more where the mesh consists of several bodies: its aggregates lie within
    one, and of each motion of that body they see a combination of these.
    """
    modes = _orthonormalise(_move_rigidly(space), space.mesh.comm)
    return list(modes if axes is None else axes.resolve(modes))


def create_free_motions(
    space: fem.FunctionSpace,
    conditions: Sequence[fem.DirichletBC],
    axes: NodalAxes | None = None,
) -> list[NDArray[np.float64]]:
    """Rigid motions that the supports leave free, orthonormal, as owned dof arrays.

    Each body that no cell joins to the others moves by itself. Its translations and rotations are
    combined so that the combination vanishes at every supported degree of freedom; what cannot
    vanish there is held.

    Returns:
        One array of shape (owned dofs,) along the axes for each free motion: three in 2-D and six
        in 3-D for each free body, none for a clamped one.
    """
    comm = space.mesh.comm
    count, bodies = find_bodies(space)
    bodies = bodies[: space.dofmap.index_map.size_local]
    motions: list[NDArray[np.float64]] = []
    for body in range(count):
        modes = _orthonormalise(_move_rigidly(space, bodies == body), comm)
        modes = modes if axes is None else axes.resolve(modes)
        held = np.zeros(modes.shape[1], dtype=bool)
        for condition in conditions:
            held[find_owned_dofs(space, condition)] = True
        gram = comm.allreduce(modes[:, held] @ modes[:, held].T, op=MPI.SUM)
        held_share, combinations = np.linalg.eigh(gram)
        motions += list(combinations[:, held_share < 1e-12].T @ modes)
    return motions


def require_balance(
    push: Form,
    free_modes: Sequence[NDArray[np.float64]],
    comm: MPI.Comm,
    axes: NodalAxes | None = None,
) -> None:
    """Refuse loads that do work on a rigid motion nothing holds: no equilibrium would exist.

    Args:
        push: Linear form of the loads on the displacement space.
        free_modes: Rigid motions left free, orthonormal, as owned dof arrays along the axes.
        comm: Ranks that share the mesh.
        axes: Axes at nodes of tilted rollers.

    Raises:
        InputError: If forces or moments are out of balance; on all ranks.
    """
    load = fem.assemble_vector(fem.form(push))
    load.scatter_reverse(la.InsertMode.add)
    forces = load.array[: load.index_map.size_local * load.block_size]
    forces = forces if axes is None else axes.resolve(forces)
    total = np.sqrt(comm.allreduce(forces @ forces))
    works = comm.allreduce(np.array([mode @ forces for mode in free_modes]))
    if np.linalg.norm(works) > _IMBALANCE * total:
        raise InputError(
            "the tractions would push or turn a body that nothing holds against them; balance "
            "their forces and moments, or add a support",
            key="mechanics.boundary",
        )


def _move_rigidly(
    space: fem.FunctionSpace, body: NDArray[np.bool_] | slice = slice(None)
) -> NDArray[np.float64]:
    """Translations, then rotations about the centre, shape (modes, owned dofs).

    Args:
        space: Vector Lagrange space of displacements.
        body: Owned nodes that move, others rest; all by default.
    """
    size = space.dofmap.index_map.size_local
    x = space.tabulate_dof_coordinates()[:size][body]
    total = space.mesh.comm.allreduce(np.append(x.sum(axis=0), len(x)))
    x = x - total[:3] / total[3]
    dimension = space.mesh.geometry.dim
    translations = [np.tile(np.eye(3)[i], (len(x), 1)) for i in range(dimension)]
    # A turn repeats along its own axis only.
    repeats = np.diag(find_periods(space.mesh))
    axes = [
        axis
        for axis in (np.eye(3) if dimension == 3 else np.eye(3)[2:])
        if not np.cross(axis, repeats).any()
    ]
    rotations = [np.cross(axis, x) for axis in axes]
    moves = np.zeros((dimension + len(axes), size, dimension))
    moves[:, body] = [m[:, :dimension] for m in (*translations, *rotations)]
    return moves.reshape(len(moves), -1)


def _orthonormalise(modes: NDArray[np.float64], comm: MPI.Comm) -> NDArray[np.float64]:
    """Modes scaled to unit length and made orthogonal, by Cholesky's factor of their products."""
    scale = np.sqrt(comm.allreduce((modes**2).sum(axis=1)))
    modes = modes / scale[:, None]
    factor = np.linalg.cholesky(comm.allreduce(modes @ modes.T))
    return np.asarray(np.linalg.solve(factor, modes), dtype=np.float64)

"""Fields of a model: unknowns with their equations, and what a solver must know of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray
from ufl.form import Form

from chemomech.arrays import FloatArray


def _do_nothing() -> None:
    pass


@dataclass(frozen=True, eq=False)
class NodalAxes:
    """Axes at some nodes, along which the unknowns of a vector field are its components there.

    Args:
        nodes: Numbers of the nodes on this rank, ghosts included.
        rotations: Orthogonal matrices whose rows are the axes, shape (nodes, size, size).
    """

    nodes: NDArray[np.int32]
    rotations: FloatArray

    def resolve(self, values: FloatArray) -> FloatArray:
        """Take components along the axes of fields given in global ones, shape (..., dofs)."""
        return self._turn(values, self.rotations)

    def compose(self, values: FloatArray) -> FloatArray:
        """Take global components of fields given along the axes, shape (..., dofs)."""
        return self._turn(values, self.rotations.swapaxes(1, 2))

    def _turn(self, values: FloatArray, rotations: FloatArray) -> FloatArray:
        turned = values.reshape(*values.shape[:-1], -1, rotations.shape[-1]).copy()
        # Of what a rank owns, ghosts are no part.
        present = self.nodes < turned.shape[-2]
        nodes = self.nodes[present]
        turned[..., nodes, :] = np.einsum(
            "nij,...nj->...ni", rotations[present], turned[..., nodes, :]
        )
        return turned.reshape(values.shape)


@dataclass(frozen=True, eq=False)
class FourthOrder:
    """The pair of a composition x and its potential y, in blocks [[a M, K_M], [-W - k K, M]].

    Conditions of either stand in place of x's equation, so that the flux there is free. x is the
    first field of the pair, y the one that follows it. M, K and k K, where k may vary in space and
    be a tensor, are bilinear forms.
    """

    composition: fem.Function
    mass: Form
    stiffness: Form
    scaled: Form


@dataclass(frozen=True, eq=False)
class Elastic:
    """Linear elasticity, which does not see rigid motions.

    All those of the mesh as a whole, along the field's axes, and those that the supports leave
    free, orthonormal, of each body by itself, are found as arrays of owned dofs; collective.
    """

    find_motions: Callable[[], Sequence[FloatArray]]
    find_free_motions: Callable[[], Sequence[FloatArray]]


@dataclass(frozen=True, eq=False)
class Uniform:
    """One unknown for the whole mesh."""


Operator = FourthOrder | Elastic | Uniform


@dataclass(frozen=True, eq=False)
class Evolution:
    """dx/dt = a x + history, with one a for all fields of a model, of a conserved x.

    Args:
        history: Function of the field's space.
        mean_square: Mean over the domain of the square of a field given by its values at all dofs
            of this rank; collective.
        outflow: Rate at which what the field conserves is released; collective.
    """

    history: fem.Function
    mean_square: Callable[[FloatArray], float]
    outflow: Callable[[], float]


@dataclass(frozen=True, eq=False)
class Field:
    """An unknown function and its equation.

    Args:
        function: The unknown, of a name of its own.
        residual: Linear form that must vanish.
        operator: What acts on it, for the preconditioner: fields with one operator are solved
            together. None factorises its block.
        linearised: Form that is differentiated for the Jacobian: an approximation of the residual;
            None for the residual itself.
        conditions: Dirichlet conditions.
        update_conditions: Brings the values of the conditions up to date, where they follow others.
        bounds: Open interval its values must keep to.
        evolution: Its time derivative; None for a field that follows the others at once.
        axes: Axes along which it is solved for and conditions hold; the function has global ones.
    """

    function: fem.Function
    residual: Form
    operator: Operator | None = None
    linearised: Form | None = None
    conditions: Sequence[fem.DirichletBC] = ()
    update_conditions: Callable[[], None] = _do_nothing
    bounds: tuple[float, float] = (-math.inf, math.inf)
    evolution: Evolution | None = None
    axes: NodalAxes | None = None

    def add(self, share: Form) -> Field:
        """Return the field with a further linear form in its equation."""
        linearised = None if self.linearised is None else self.linearised + share
        return replace(self, residual=self.residual + share, linearised=linearised)

    @property
    def name(self) -> str:
        """Name of the unknown."""
        return str(self.function.name)

    @property
    def is_uniform(self) -> bool:
        """True for one unknown for the whole mesh."""
        return isinstance(self.operator, Uniform)

    def impose_conditions(self) -> None:
        """Write the present values of the conditions into the unknown."""
        self.update_conditions()
        values = self.resolve(self.function.x.array)
        for condition in self.conditions:
            condition.set(values)
        if self.axes is not None:
            self.function.x.array[:] = self.axes.compose(values)

    def resolve(self, values: FloatArray) -> FloatArray:
        """Take components along the axes; where there are none, the values themselves."""
        return values if self.axes is None else self.axes.resolve(values)


def find_owned_dofs(space: fem.FunctionSpace, condition: fem.DirichletBC) -> NDArray[np.int32]:
    """Dofs of a space, owned by this rank and with blocks unrolled, that a condition holds."""
    dofmap = space.dofmap
    dofs, _ = condition.dof_indices()
    # By their number: DOLFINx 0.9 counts the owned ones wrongly in blocked spaces.
    return np.asarray(dofs[dofs < dofmap.index_map.size_local * dofmap.index_map_bs])


def find_given_up(fields: Sequence[Field], index: int) -> list[tuple[int, fem.DirichletBC]]:
    """Conditions in place of rows of a field's equation, by the number of the field they hold.

    Where two hold one dof, the last one does.
    """
    return [
        (held, condition)
        for held, field in enumerate(fields)
        for condition in field.conditions
        if _find_equation(fields, held) == index
    ]


def _find_equation(fields: Sequence[Field], held: int) -> int:
    """Number of the field whose equation gives way where a field is held."""
    operator = fields[held].operator
    if isinstance(operator, FourthOrder):
        return next(i for i, one in enumerate(fields) if one.function is operator.composition)
    return held

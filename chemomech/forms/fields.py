"""Fields of a model: unknowns with their equations, and what a solver must know of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dolfinx import fem
from ufl.form import Form

from chemomech.arrays import FloatArray


@dataclass(frozen=True, eq=False)
class FourthOrder:
    """The pair of a composition x and its potential y, in blocks [[a M, K_M], [-W - k K, M]].

    Args:
        composition: x, the first field of the pair; y is the field that follows it.
        mass: M, a bilinear form.
        stiffness: K.
        scaled: k K, where k may vary in space.
    """

    composition: fem.Function
    mass: Form
    stiffness: Form
    scaled: Form


@dataclass(frozen=True, eq=False)
class Elastic:
    """Linear elasticity, which does not see rigid motions.

    Args:
        find_motions: Returns all rigid motions as arrays of owned dofs; collective.
        find_free_motions: Returns those that the supports leave free, orthonormal; collective.
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
        bounds: Open interval its values must keep to.
        evolution: Its time derivative; None for a field that follows the others at once.
    """

    function: fem.Function
    residual: Form
    operator: Operator | None = None
    linearised: Form | None = None
    conditions: Sequence[fem.DirichletBC] = ()
    bounds: tuple[float, float] = (-math.inf, math.inf)
    evolution: Evolution | None = None

    @property
    def name(self) -> str:
        """Name of the unknown."""
        return str(self.function.name)

    @property
    def is_uniform(self) -> bool:
        """True for one unknown for the whole mesh."""
        return isinstance(self.operator, Uniform)

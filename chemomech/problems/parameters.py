"""Parameters of a model by name: a change of their values compiles nothing."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from dolfinx import default_scalar_type, fem
from dolfinx.mesh import Mesh
from numpy.typing import ArrayLike, NDArray
from ufl.constantvalue import ConstantValue
from ufl.core.expr import Expr

from chemomech.errors import InputError
from chemomech.materials.scalars import Scalar, evaluate

Value = float | NDArray[np.float64]
Entries = Any
"""A UFL scalar, or nested lists of UFL scalars."""


@dataclass(frozen=True)
class Meaning:
    """Unit, empty for a number without, description, and accepted limits of a parameter."""

    unit: str = ""
    description: str = ""
    lowest: float = -np.inf
    highest: float = np.inf


class Parameters(Mapping[str, Value]):
    """Numbers in the equations of a model, by dotted name, in SI units.

    ``parameters["material.free_energy.chi"] = 2.6`` is all it takes to change one: forms hold
    `dolfinx.fem.Constant`, so nothing is compiled, and solvers assemble anew what holds it before
    they next solve. Scales of the equations, mesh and time step stay what they were. After a change
    in the middle of a run its stepper must begin anew, as `Simulation` lets it: see
    `Bdf.reset_history`.

    An entry of a vector or tensor that is zero at first is left out of the forms, and stays zero.

    Args:
        mesh: Mesh of the model.
        factors: Fields by which parameters are multiplied, by their names.
    """

    def __init__(self, mesh: Mesh, factors: Mapping[str, fem.Function] | None = None) -> None:
        self._mesh = mesh
        self._factors = factors or {}
        self._values: dict[str, NDArray[Any]] = {}
        self._constants: dict[str, fem.Constant] = {}
        self._scales: dict[str, float] = {}
        self._meanings: dict[str, Meaning] = {}
        self._sparse: set[str] = set()
        self._updates: list[Callable[[], None]] = []
        self._checks: list[Callable[[], None]] = []
        self._changed: list[str] = []

    def add(
        self,
        name: str,
        value: ArrayLike,
        meaning: Meaning | None = None,
        scale: float = 1.0,
        *,
        keep_zeros: bool = False,
    ) -> Entries:
        """Add a parameter.

        Args:
            name: Dotted name.
            value: Its value in SI units, a number or an array.
            meaning: What it is.
            scale: Factor from SI units to the units of the equations.
            keep_zeros: Whether entries of an array that are zero may be changed later on.

        Returns:
            A `dolfinx.fem.Constant`, in the units of the equations, times the factor where there is
            one; of an array, nested lists of UFL scalars.

        Raises:
            ValueError: There is one of that name.
        """
        if name in self._constants:
            raise ValueError(f"There is a parameter {name} already.")
        values = np.asarray(value, dtype=default_scalar_type)
        constant = fem.Constant(self._mesh, values * scale)
        self._values[name] = values
        self._constants[name], self._scales[name] = constant, scale
        self._meanings[name] = meaning or Meaning()
        factor = self._factors.get(name, 1)
        if not values.shape:
            return constant * factor
        if not keep_zeros:
            self._sparse.add(name)
        entries = np.empty(values.shape, dtype=object)
        for index in np.ndindex(values.shape):
            entries[index] = constant[index] * factor if keep_zeros or values[index] else 0.0
        return entries.tolist()

    def create_constant(self, value: float) -> fem.Constant:
        """Create a constant without a name, so that models of another value share forms."""
        return fem.Constant(self._mesh, default_scalar_type(value))

    def derive(self, scalar: Scalar) -> Scalar:
        """Make one constant of an expression of parameters, which follows them.

        Forms then hold the result and do not compute it in each cell.

        Returns:
            The constant; the expression itself where it varies in space or is a plain number.
        """
        value = evaluate(scalar)
        if value is None or not isinstance(scalar, Expr) or isinstance(scalar, ConstantValue):
            return scalar
        constant = self.create_constant(value)

        def update() -> None:
            constant.value = evaluate(scalar)

        self.add_update(update)
        return constant

    def add_update(self, update: Callable[[], None]) -> None:
        """Add what brings fields or constants up to date that follow parameters.

        It is called after each change, to be made on all ranks where it is collective. A change
        for which it raises InputError is taken back.
        """
        self._updates.append(update)

    def add_check(self, check: Callable[[], None]) -> None:
        """Add a check of the values as a whole, called after each change.

        A change to values for which the check raises InputError is taken back.
        """
        self._checks.append(check)

    def describe(self, name: str) -> Meaning:
        """Unit, description and limits of a parameter.

        Raises:
            InputError: There is none of that name.
        """
        self._require(name)
        return self._meanings[name]

    def __getitem__(self, name: str) -> Value:
        self._require(name)
        value = self._values[name]
        return value.copy() if value.shape else float(value)

    def __setitem__(self, name: str, value: ArrayLike) -> None:
        self._require(name)
        constant, meaning = self._constants[name], self._meanings[name]
        values = np.asarray(value, dtype=default_scalar_type)
        if values.shape != constant.value.shape:
            raise InputError(
                f"needs the shape {constant.value.shape}, got {values.shape}", key=name
            )
        if not np.all((values >= meaning.lowest) & (values <= meaning.highest)):
            raise InputError(
                f"{values} is outside the accepted range "
                f"[{meaning.lowest:g}, {meaning.highest:g}] {meaning.unit}".rstrip(),
                key=name,
            )
        if name in self._sparse and np.any((constant.value == 0.0) & (values != 0.0)):
            raise InputError(
                "an entry that is zero cannot be changed: the forms are made without it; make the "
                "model anew",
                key=name,
            )
        former = constant.value.copy()
        try:
            self._write(constant, values * self._scales[name])
            for check in self._checks:
                check()
        except InputError:
            self._write(constant, former)
            raise
        self._values[name] = values.copy()
        self._changed.append(name)

    def take_changes(self) -> dict[str, Value]:
        """Return what has been set since the last call, by name, and forget that it was."""
        changes = {name: self[name] for name in self._changed}
        self._changed.clear()
        return changes

    def __iter__(self) -> Iterator[str]:
        return iter(self._constants)

    def __len__(self) -> int:
        return len(self._constants)

    def __contains__(self, name: object) -> bool:
        return name in self._constants

    def _write(self, constant: fem.Constant, values: NDArray[Any]) -> None:
        constant.value = values
        for update in self._updates:
            update()

    def _require(self, name: str) -> None:
        if name not in self._constants:
            close = difflib.get_close_matches(name, self._constants, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            known = ", ".join(self._constants) or "none"
            raise InputError(f"no such parameter{hint} (there are: {known})", key=name)

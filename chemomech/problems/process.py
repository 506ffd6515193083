"""Processes: parts of a model that bring fields, energies and shares of equations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from dolfinx import fem
from ufl.core.expr import Expr
from ufl.form import Form

from chemomech.forms.fields import Field


class Process(Protocol):
    """A part of a model: what it adds to the free energy, and the fields it brings.

    A process makes its unknown functions when it is made; other processes' energies may hold them.
    Its fields and the parts of its energy need names that no other process of the model uses.
    """

    @property
    def energies(self) -> Mapping[str, Form]:
        """Its share of the free energy by the names of its parts, scalar forms."""

    @property
    def varying(self) -> Sequence[fem.Constant | fem.Function]:
        """Constants and functions of its forms that change between solves without being unknown."""

    def create_fields(self, energy: Form) -> list[Field]:
        """Create its fields, whose equations are derivatives of the whole model's free energy."""


@runtime_checkable
class EquationShare(Protocol):
    """A process that adds to the equations of fields that others bring, as a reaction does to c's.

    What is no derivative of the free energy goes there: fluxes, sources, forces. Lithium that a
    share of c's equation brings is not counted as released, and the energy may rise.
    """

    def add_to(self, field: str, test: Expr) -> Form | None:
        """Return its share, a linear form, of a field's residual; None where it has none."""


class SourceProcess:
    """Base of a process that brings no field and no energy: it only adds to equations."""

    energies: Mapping[str, Form] = MappingProxyType({})
    varying: Sequence[fem.Constant | fem.Function] = ()

    def create_fields(self, energy: Form) -> list[Field]:
        """Create no field."""
        del energy
        return []

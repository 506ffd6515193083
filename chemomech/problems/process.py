"""Processes: parts of a model that bring fields and a share of the free energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from dolfinx import fem
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

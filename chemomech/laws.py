"""From tables of a configuration to the laws of materials."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import get_args

import numpy as np
from pydantic.fields import FieldInfo

from chemomech import config as cfg
from chemomech.config.base import Section
from chemomech.config.mechanics import EigenstrainConfig
from chemomech.config.stress import StrainConfig
from chemomech.materials import elasticity as el
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.lattice import create_lattice_eigenstrain, read_phases
from chemomech.materials.marcus_kinetics import MarcusHushChidsey
from chemomech.materials.reactions import (
    ButlerVolmer,
    ConstantExchange,
    ConstantFlux,
    LiteralEqn25,
    OddEqn25,
    ReactionLaw,
    SquareRootExchange,
)
from chemomech.materials.scalars import Scalar
from chemomech.materials.tabulated_eigenstrain import TabulatedEigenstrain
from chemomech.problems.parameters import Entries, Meaning, Parameters
from chemomech.units import QuantityKind, Scales


class Table:
    """A table of a configuration whose numbers become parameters of a model.

    Args:
        section: The table.
        name: Its dotted name.
        parameters: Where its numbers go.
    """

    def __init__(self, section: Section, name: str, parameters: Parameters) -> None:
        self._section = section
        self._name = name
        self._parameters = parameters

    def add(self, key: str, scale: float = 1.0, value: float | None = None) -> Entries:
        """Make a number a parameter of the key's name, unit and description.

        Args:
            key: The key.
            scale: Factor from SI units to the units of the equations.
            value: Value in SI units; None for that of the table.

        Returns:
            A UFL scalar, or nested lists of them, in the units of the equations.
        """
        number = getattr(self._section, key) if value is None else value
        meaning = _find_meaning(type(self._section).model_fields[key])
        return self._parameters.add(f"{self._name}.{key}", number, meaning, scale)

    def add_check(self, check: Callable[[], None]) -> None:
        """Add a check of the parameters, as `Parameters.add_check` does."""
        self._parameters.add_check(check)

    def derive(self, matrix: el.Matrix) -> el.Matrix:
        """Make a constant of each entry of a matrix of UFL scalars, one where they are the same."""
        if matrix.dtype != object:
            return matrix
        constants: dict[int, Scalar] = {}
        derived = matrix.copy()
        for index, entry in np.ndenumerate(matrix):
            if id(entry) not in constants:
                constants[id(entry)] = self._parameters.derive(entry)
            derived[index] = constants[id(entry)]
        return derived


def _find_meaning(field: FieldInfo) -> Meaning:
    """Unit, description and limits of a key."""
    unit, lowest, highest = "", [-math.inf], [math.inf]
    for mark in _list_marks(field.annotation, field.metadata):
        if isinstance(mark, QuantityKind):
            unit = mark.unit
            lowest.append(mark.lowest)
            highest.append(mark.highest)
        lowest += [getattr(mark, name) for name in ("ge", "gt") if hasattr(mark, name)]
        highest += [getattr(mark, name) for name in ("le", "lt") if hasattr(mark, name)]
    return Meaning(unit, field.description or "", max(lowest), min(highest))


def create_stiffness(
    law: cfg.IsotropicConfig | cfg.CubicConfig | cfg.OrthotropicConfig,
    table: Table,
    unit: float,
) -> el.Matrix:
    """Create the stiffness matrix of a table ``elasticity``.

    Args:
        law: The table.
        table: Where its numbers become parameters.
        unit: Pascals in a unit of stress of the equations.

    Raises:
        InputError: If the constants make no stable solid.
    """
    return table.derive(_create_stiffness(law, table, 1.0 / unit))


def _create_stiffness(
    law: cfg.IsotropicConfig | cfg.CubicConfig | cfg.OrthotropicConfig, table: Table, scale: float
) -> el.Matrix:
    match law:
        case cfg.IsotropicConfig():
            return el.create_isotropic_stiffness(
                table.add("young_modulus", scale), table.add("poisson_ratio")
            )
        case cfg.CubicConfig():
            return el.create_cubic_stiffness(
                *(table.add(key, scale) for key in ("c11", "c12", "c44"))
            )
        case cfg.OrthotropicConfig():
            return el.create_orthotropic_stiffness(
                table.add("young_moduli", scale),
                table.add("poisson_ratios"),
                table.add("shear_moduli", scale),
            )


def create_eigenstrain(
    law: StrainConfig | EigenstrainConfig, table: Table, mean: float, concentration: float
) -> Eigenstrain | TabulatedEigenstrain:
    """Create the eigenstrain of a table ``eigenstrain``.

    Args:
        law: The table.
        table: Where its numbers become parameters.
        mean: Mean composition of the particle, where that is the reference.
        concentration: Concentration of lithium sites (mol/m^3), where the table states none.

    Raises:
        InputError: If the numbers make no law.
    """
    reference = mean if law.reference_composition == "mean" else law.reference_composition
    match law:
        case cfg.PhaseStrainConfig():
            windows = [(p.lowest, p.highest, p.partial_molar_volume) for p in law.phases]
            return TabulatedEigenstrain.from_phases(windows, law.site_concentration, reference)
        case cfg.VolumeStrainConfig():
            return TabulatedEigenstrain.from_molar_volumes(law.lithium, law.volumes, reference)
        case cfg.LatticeStrainConfig():
            return create_lattice_eigenstrain(read_phases(law.file), reference, law.axes)
    origin = table.add("reference_composition", value=reference)
    if isinstance(law, cfg.VegardConfig | cfg.VegardStrainConfig):
        sites = getattr(law, "site_concentration", concentration)
        return Eigenstrain.isotropic(table.add("partial_molar_volume", sites / 3.0), origin)
    return Eigenstrain(table.add("tensor"), origin, in_wire_frame=law.frame == "wire")


def create_mechanics(
    law: cfg.IsotropicConfig | cfg.CubicConfig | cfg.OrthotropicConfig,
    strain: StrainConfig | EigenstrainConfig,
    tables: tuple[Table, Table],
    assumption: el.Assumption,
    unit: float,
    mean: float,
    concentration: float = math.nan,
) -> tuple[el.Elasticity, Eigenstrain | TabulatedEigenstrain]:
    """Create stiffness and eigenstrain, both checked again whenever a parameter is set.

    Args:
        law: The table ``elasticity``.
        strain: The table ``eigenstrain``.
        tables: Where the numbers of both become parameters.
        assumption: Treatment of the third direction.
        unit: Pascals in a unit of stress of the equations.
        mean: Mean composition of the particle.
        concentration: Concentration of lithium sites (mol/m^3), where ``strain`` states none.

    Raises:
        InputError: If the numbers make no law.
    """
    elastic, expanding = tables
    in_wire_frame = getattr(law, "frame", "global") == "wire"
    elasticity = el.Elasticity(create_stiffness(law, elastic, unit), assumption, in_wire_frame)
    eigenstrain = create_eigenstrain(strain, expanding, mean, concentration)
    elastic.add_check(elasticity.require_stability)
    if isinstance(eigenstrain, Eigenstrain):
        expanding.add_check(eigenstrain.require_symmetry)
    return elasticity, eigenstrain


def create_reaction(law: cfg.ReactionConfig, table: Table, scales: Scales) -> ReactionLaw | None:
    """Create the dimensionless law of a table ``[[reaction]]``; None where nothing passes.

    Args:
        law: The table.
        table: Where its numbers become parameters.
        scales: Scales of the equations.
    """
    if isinstance(law, cfg.NoFluxConfig):
        return None
    velocity = 1.0 / scales.velocity
    if isinstance(law, cfg.ConstantFluxConfig):
        value = law.value.velocity(scales.site_concentration)
        return ConstantFlux(table.add("value", velocity, value))
    rate = table.add("rate_constant", velocity)
    match law:
        case cfg.ButlerVolmerConfig():
            return ButlerVolmer(rate)
        case cfg.SquareRootExchangeConfig():
            return SquareRootExchange(rate, table.add("alpha"))
        case cfg.ConstantExchangeConfig():
            return ConstantExchange(rate, table.add("alpha"))
        case cfg.MarcusHushChidseyConfig():
            return MarcusHushChidsey(
                rate, table.add("reorganisation_energy"), table.add("electrolyte")
            )
        case cfg.LiteralConfig():
            return OddEqn25(rate) if law.odd else LiteralEqn25(rate)


def _list_marks(annotation: object, marks: Iterable[object]) -> Iterator[object]:
    """List what is written beside a type in `Annotated`, at any depth."""
    for mark in (*marks, *getattr(annotation, "__metadata__", ())):
        yield from mark.metadata if isinstance(mark, FieldInfo) else (mark,)
    for part in get_args(annotation):
        if get_args(part):
            yield from _list_marks(part, ())

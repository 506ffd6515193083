"""Axes of a particle that its laws are given in: those of the wire and of the crystal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np
from dolfinx import fem
from numpy.typing import ArrayLike

from chemomech import config as cfg
from chemomech.arrays import FloatArray
from chemomech.config.laws.axes import LocalAxes
from chemomech.config.laws.numbers import Numbers
from chemomech.errors import InputError, naming
from chemomech.geometry.domain import Domain
from chemomech.geometry.formula import Unroll, evaluate_formula
from chemomech.materials.elasticity import create_wire_rotation
from chemomech.materials.orientation import (
    create_axes_from_two,
    create_euler_axes,
    create_turned_axes,
)
from chemomech.materials.scalars import Scalar, evaluate
from chemomech.problems.crystal_axes import CrystalAxes, Orientation
from chemomech.problems.parameters import Parameters


def create_local_axes(
    crystal: Sequence[cfg.CrystalConfig],
    domain: Domain,
    tangent: fem.Function | None,
    parameters: Parameters,
    unroll: Unroll | None = None,
    *,
    is_sheet: bool = False,
) -> LocalAxes:
    """Create the axes of a particle; Euler angles become parameters.

    Args:
        crystal: How the crystal lies.
        domain: The mesh.
        tangent: Unit vector along the wire, if needed.
        parameters: Those of the model.
        unroll: As `evaluate_formula` takes it.
        is_sheet: Whether it is a sheet in plane stress.

    Raises:
        InputError: A group is unknown, two share cells, a cell is in none, or a formula is none.
    """
    wire = None if tangent is None else create_wire_rotation(tangent)
    local = LocalAxes(domain.mesh.geometry.dim, is_sheet, wire)
    if not crystal:
        return local
    angles: list[Scalar] = []
    grains: dict[str | None, ArrayLike | Orientation] = {
        table.cells: _create_orientation(table, f"crystal.{index}", parameters, unroll, angles)
        for index, table in enumerate(crystal)
    }
    for index, table in enumerate(crystal):
        if table.cells is not None:
            with naming(key=f"crystal.{index}.cells"):
                domain.cell_tags_of(table.cells)
    try:
        axes = CrystalAxes(domain, grains)
    except InputError as error:
        error.key = error.key or "crystal"
        raise

    former = [evaluate(angle) for angle in angles]

    def update() -> None:
        nonlocal former
        present = [evaluate(angle) for angle in angles]
        if present != former:
            with naming(key="crystal"):
                axes.update()
            former = present

    parameters.add_update(update)
    return replace(local, crystal=axes.tensor)


def _create_orientation(
    table: cfg.CrystalConfig,
    name: str,
    parameters: Parameters,
    unroll: Unroll | None,
    found: list[Scalar],
) -> FloatArray | Orientation:
    """Create an orientation; what it depends on is added to what was found."""
    if table.formula is not None:
        return partial(_turn_by_place, table.formula, f"{name}.formula", unroll)
    if table.axes is not None:
        return create_axes_from_two(*table.axes)
    angles = Numbers(table, name, parameters).add("euler_angles", keep_zeros=True)
    if any(evaluate(angle) is None for angle in angles):
        raise InputError("cannot vary in space; state a formula", key=f"{name}.euler_angles")
    found += angles
    return lambda points: create_euler_axes([evaluate(angle) or 0.0 for angle in angles])


def _turn_by_place(formula: str, key: str, unroll: Unroll | None, points: FloatArray) -> FloatArray:
    with naming(key=key):
        return create_turned_axes(np.radians(evaluate_formula(formula, points, unroll)))

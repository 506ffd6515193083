"""Elasticity and eigenstrain of a simulation or of a stress map, in the axes of their tables."""

from __future__ import annotations

from dolfinx import fem
from ufl.core.expr import Expr

from chemomech import config as cfg
from chemomech.config.laws.eigenstrain import Use
from chemomech.config.laws.law import LawConfig
from chemomech.config.laws.numbers import Numbers
from chemomech.forms.energy import Mechanics
from chemomech.materials import elasticity as el
from chemomech.materials.eigenstrain import TurnedEigenstrain
from chemomech.problems.parameters import Parameters


def create_mechanics(
    config: cfg.MechanicsConfig | cfg.StressConfig,
    prefix: str,
    parameters: Parameters,
    tangent: fem.Function | None,
    assumption: el.Assumption,
    stress_unit: float,
    use: Use,
) -> Mechanics:
    """Create the laws that two tables state.

    Args:
        config: What holds the tables ``elasticity`` and ``eigenstrain``.
        prefix: What their dotted names begin with.
        parameters: Where their numbers become parameters.
        tangent: Unit vector along the wire; None where no law needs it.
        assumption: Treatment of the third direction.
        stress_unit: Unit of stress in the equations, in Pa.
        use: Use of the eigenstrain, with the particle's mean.

    Raises:
        InputError: If the numbers make no law.
    """
    elasticity = config.elasticity.create(
        Numbers(config.elasticity, f"{prefix}elasticity", parameters),
        assumption,
        stress_unit,
        find_axes(config.elasticity, tangent),
    )
    eigenstrain = config.eigenstrain.create(
        Numbers(config.eigenstrain, f"{prefix}eigenstrain", parameters), use
    )
    axes = find_axes(config.eigenstrain, tangent)
    return Mechanics(
        elasticity, eigenstrain if axes is None else TurnedEigenstrain(eigenstrain, axes)
    )


def find_axes(law: LawConfig, tangent: fem.Function | None) -> Expr | None:
    """Find the axes of a table, the columns of a 3 x 3 UFL tensor; None for global ones."""
    if law.wire_key is None:
        return None
    assert tangent is not None
    return el.create_wire_rotation(tangent)

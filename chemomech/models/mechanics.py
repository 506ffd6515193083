"""Elasticity and eigenstrain of a simulation or of a stress map, in the axes of their tables."""

from __future__ import annotations

from chemomech import config as cfg
from chemomech.config.laws.axes import LocalAxes
from chemomech.config.laws.eigenstrain import Use
from chemomech.config.laws.numbers import Numbers
from chemomech.forms.energy import Mechanics
from chemomech.materials import elasticity as el
from chemomech.materials.eigenstrain import TurnedEigenstrain
from chemomech.problems.parameters import Parameters


def create_mechanics(
    config: cfg.MechanicsConfig | cfg.StressConfig,
    prefix: str,
    parameters: Parameters,
    axes: LocalAxes,
    assumption: el.Assumption,
    stress_unit: float,
    use: Use,
) -> Mechanics:
    """Create the laws that two tables state.

    Args:
        config: What holds the tables ``elasticity`` and ``eigenstrain``.
        prefix: What their dotted names begin with.
        parameters: Where their numbers become parameters.
        axes: Axes that the tables may refer to.
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
        axes.find(config.elasticity.frames.get("frame")),
    )
    eigenstrain = config.eigenstrain.create(
        Numbers(config.eigenstrain, f"{prefix}eigenstrain", parameters), use
    )
    own = axes.find(config.eigenstrain.frames.get("frame"))
    return Mechanics(
        elasticity, eigenstrain if own is None else TurnedEigenstrain(eigenstrain, own)
    )

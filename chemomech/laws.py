"""From tables of a configuration to the laws of materials."""

from __future__ import annotations

from chemomech import config as cfg
from chemomech.materials import elasticity as el


def create_stiffness(
    law: cfg.IsotropicConfig | cfg.CubicConfig | cfg.OrthotropicConfig,
) -> el.Matrix:
    """Create the stiffness matrix (Pa) of a table ``elasticity``.

    Args:
        law: The table.

    Raises:
        InputError: If the constants make no stable solid.
    """
    match law:
        case cfg.IsotropicConfig():
            return el.create_isotropic_stiffness(law.young_modulus, law.poisson_ratio)
        case cfg.CubicConfig():
            return el.create_cubic_stiffness(law.c11, law.c12, law.c44)
        case cfg.OrthotropicConfig():
            return el.create_orthotropic_stiffness(
                law.young_moduli, law.poisson_ratios, law.shear_moduli
            )

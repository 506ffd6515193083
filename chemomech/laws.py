"""From tables of a configuration to the laws of materials."""

from __future__ import annotations

from chemomech import config as cfg
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
from chemomech.materials.tabulated_eigenstrain import TabulatedEigenstrain
from chemomech.units import Scales


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


def create_eigenstrain(law: StrainConfig, mean: float) -> Eigenstrain | TabulatedEigenstrain:
    """Create the eigenstrain of a table ``eigenstrain`` of a stress map.

    Args:
        law: The table.
        mean: Mean composition of the particle, where that is the reference.

    Raises:
        InputError: If the numbers make no law.
    """
    reference = mean if law.reference_composition == "mean" else law.reference_composition
    match law:
        case cfg.VegardStrainConfig():
            expansion = law.partial_molar_volume * law.site_concentration / 3
            return Eigenstrain.isotropic(expansion, reference)
        case cfg.PhaseStrainConfig():
            windows = [(p.lowest, p.highest, p.partial_molar_volume) for p in law.phases]
            return TabulatedEigenstrain.from_phases(windows, law.site_concentration, reference)
        case cfg.VolumeStrainConfig():
            return TabulatedEigenstrain.from_molar_volumes(law.lithium, law.volumes, reference)
        case cfg.TensorStrainConfig():
            return Eigenstrain(law.tensor, reference, in_wire_frame=law.frame == "wire")
        case cfg.LatticeStrainConfig():
            return create_lattice_eigenstrain(read_phases(law.file), reference, law.axes)


def create_reaction(law: cfg.ReactionConfig, scales: Scales) -> ReactionLaw | None:
    """Create the dimensionless law of a table ``[[reaction]]``; None where nothing passes.

    Args:
        law: The table.
        scales: Scales of the equations.
    """
    if isinstance(law, cfg.NoFluxConfig):
        return None
    if isinstance(law, cfg.ConstantFluxConfig):
        return ConstantFlux(law.value.velocity(scales.site_concentration) / scales.velocity)
    rate = law.rate_constant / scales.velocity
    match law:
        case cfg.ButlerVolmerConfig():
            return ButlerVolmer(rate)
        case cfg.SquareRootExchangeConfig():
            return SquareRootExchange(rate, law.alpha)
        case cfg.ConstantExchangeConfig():
            return ConstantExchange(rate, law.alpha)
        case cfg.MarcusHushChidseyConfig():
            return MarcusHushChidsey(rate, law.reorganisation_energy, law.electrolyte)
        case cfg.LiteralConfig():
            return OddEqn25(rate) if law.odd else LiteralEqn25(rate)

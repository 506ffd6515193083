"""From tables of a configuration to the laws of materials."""

from __future__ import annotations

from chemomech import config as cfg
from chemomech.config.stress import StrainConfig
from chemomech.materials import elasticity as el
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.lattice import create_lattice_eigenstrain, read_phases
from chemomech.materials.tabulated_eigenstrain import TabulatedEigenstrain


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

"""Scales of the dimensionless equations."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.constants import R as GAS_CONSTANT
from scipy.constants import physical_constants

FARADAY: float = physical_constants["Faraday constant"][0]
"""Charge of a mole of lithium ions (C/mol)."""


@dataclass(frozen=True)
class Scales:
    """Characteristic values: a dimensional quantity is its dimensionless value times the scale.

    Args:
        length: Length L0 (m); one nanometre, the unit of mesh coordinates, unless stated.
        diffusivity: Diffusivity D (m^2/s).
        temperature: Absolute temperature T (K).
        site_concentration: Concentration C of lithium sites at c = 1 (mol/m^3).
    """

    diffusivity: float
    temperature: float
    site_concentration: float
    length: float = 1e-9

    @property
    def time(self) -> float:
        """``L0^2 / D`` (s)."""
        return self.length**2 / self.diffusivity

    @property
    def chemical_potential(self) -> float:
        """``R T`` (J/mol)."""
        return GAS_CONSTANT * self.temperature

    @property
    def energy_density(self) -> float:
        """``R T C`` (J/m^3)."""
        return self.chemical_potential * self.site_concentration

    @property
    def stress(self) -> float:
        """``R T C`` (Pa)."""
        return self.energy_density

    @property
    def velocity(self) -> float:
        """``D / L0`` (m/s), the scale of a flux of the normalised composition."""
        return self.diffusivity / self.length

    def charge(self, dimension: int) -> float:
        """``F C L0^dimension``, the scale of the charge of a composition integrated over the mesh.

        It is in C in three dimensions, in C per metre of depth in two.
        """
        return FARADAY * self.site_concentration * self.length**dimension

    @property
    def voltage(self) -> float:
        """``R T / F`` (V)."""
        return self.chemical_potential / FARADAY

    def energy(self, dimension: int) -> float:
        """``R T C L0^dimension``, the scale of an energy integrated over the mesh.

        It is in J in three dimensions, in J per metre of depth in two.
        """
        return self.energy_density * self.length**dimension

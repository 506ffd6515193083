"""Laws as a user writes them beside a configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import ufl

from chemomech.materials.elasticity import create_isotropic_stiffness
from chemomech.units import Diffusivity, Modulus, RateConstant


@dataclass(frozen=True)
class ThreeWells:
    """g(c) = height sin(2 pi c)^2: phases at c = 0, 1/2 and 1."""

    height: float
    bounds: ClassVar = (-0.25, 1.25)

    def __post_init__(self):
        if self.height <= 0.0:
            raise ValueError("three wells need a positive height")

    def density(self, c):
        return self.height * ufl.sin(2 * ufl.pi * c) ** 2


@dataclass(frozen=True)
class Slowing:
    """D (1 + swing (2 c - 1)): slower where there is more lithium, for a swing below zero."""

    diffusivity: Diffusivity
    swing: float = -0.5

    def value(self, c, strains):
        return self.diffusivity * (1 + self.swing * (2 * c - 1))


@dataclass(frozen=True)
class Strained:
    """D c (1 - c) exp(b tr(e)), e the elastic strain."""

    diffusivity: Diffusivity
    sensitivity: float

    def value(self, c, strains):
        return self.diffusivity * c * (1 - c) * ufl.exp(self.sensitivity * ufl.tr(strains.elastic))


@dataclass(frozen=True)
class Layered:
    diffusivity: Diffusivity

    def value(self, c, strains):
        return self.diffusivity * ufl.as_matrix([[1.0, 0.5], [0.5, 1.0]])


@dataclass(frozen=True)
class Isotropic:
    young: Modulus
    poisson: float = 0.3

    def stiffness(self):
        return create_isotropic_stiffness(self.young, self.poisson)


@dataclass(frozen=True)
class Uneven:
    """Linear in c, but different along each axis."""

    strains: tuple[float, float, float]
    reference: float = 0.25

    def strain(self, c):
        rows = [[s if i == j else 0.0 for j in range(3)] for i, s in enumerate(self.strains)]
        return (c - self.reference) * ufl.as_matrix(rows)


@dataclass(frozen=True)
class Linear:
    """J = k (mu - mu_res)."""

    rate: RateConstant
    needs_reservoir: ClassVar = True

    def flux(self, c, mu, reservoir):
        return self.rate * (mu - reservoir)


@dataclass(frozen=True)
class Half:
    """Has no density."""

    bounds: ClassVar = (0.0, 1.0)


@dataclass(frozen=True)
class Broken:
    bounds: ClassVar = (0.0, 1.0)

    def density(self, c):
        return np.linalg.inv(c)


@dataclass
class Thawed:
    bounds: ClassVar = (0.0, 1.0)

    def density(self, c):
        return c**2

r"""A fibre of a bent wire: the free energy of a homogeneous composition at a prescribed strain.

In a wire that was straight and is held in a bend of radius R, the fibre at the distance y from the
mid-line (positive outwards) has the strain e = y / R along the wire. Its other directions are free,
save the one out of the plane in plane strain. What is left of the elastic energy is quadratic in c,

    psi(c) / (RT C) = g(c) + dchi (c - c_ref)^2 - k e (c - c_ref) + const.

The quadratic term is that of coherent waves: it narrows spinodal and binodal, as a chi lower by
dchi does. The strain itself enters a linear term only. It moves no phase boundary in a fibre of
given composition, but shifts the fibre's potential by -k e: fibres in tension are richer in
lithium.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chemomech.errors import InputError
from chemomech.materials.density_curve import DensityCurve
from chemomech.materials.free_energy import FreeEnergy
from chemomech.materials.phase_diagram import coherent_shift, find_phases


@dataclass(frozen=True)
class BentFibre:
    """An isotropic fibre with the eigenstrain eta (c - c_ref).

    Args:
        young: Young's modulus in units of RT C.
        poisson: Poisson's ratio.
        expansion: eta = Omega C / 3, linear strain per unit composition.
        plane_strain: Whether the direction out of the plane is held; free where False.

    Raises:
        InputError: The modulus is not positive, or the ratio is not in (-1, 1/2).
    """

    young: float
    poisson: float
    expansion: float
    plane_strain: bool

    def __post_init__(self) -> None:
        if not self.young > 0.0:
            raise InputError(f"must be positive, got {self.young:g}", key="young")
        if not -1.0 < self.poisson < 0.5:
            raise InputError(f"must lie between -1 and 1/2, got {self.poisson:g}", key="poisson")

    @property
    def chi_shift(self) -> float:
        """Shift dchi by which coherency lowers chi."""
        return coherent_shift(
            self.young, self.poisson, self.expansion, plane_stress=not self.plane_strain
        )

    @property
    def tilt(self) -> float:
        """-d mu / d e in units of RT: E eta / (1 - nu) in plane strain, E eta in plane stress."""
        free = self.young * self.expansion
        return free / (1.0 - self.poisson) if self.plane_strain else free

    def energy(
        self, c: ArrayLike, law: FreeEnergy, strain: float, reference: float = 0.5
    ) -> NDArray[np.float64]:
        """Compute the free-energy density in units of RT C, less what does not depend on c.

        Args:
            c: Compositions within the law's bounds, any shape.
            law: Free-energy density without strain.
            strain: e = y / R along the wire, tension positive.
            reference: c_ref, at which the unstrained fibre is free of stress.
        """
        change = np.asarray(c, dtype=np.float64) - reference
        elastic = self.chi_shift * change**2 - self.tilt * strain * change
        return np.asarray(DensityCurve(law).energy(c) + elastic)

    def potential_shift(self, strain: ArrayLike) -> NDArray[np.float64]:
        """Compute -k e, the shift of the coexistence potential by a strain, in units of RT."""
        return -self.tilt * np.asarray(strain, dtype=np.float64)

    def sorting_radius(self, law: FreeEnergy, width: float) -> float:
        """Compute the radius R = k w / (2 mu_s) below which the bend sorts the lithium.

        Here mu_s is the greatest distance of the potential's loop, with dchi, from coexistence. In
        a wider bend either phase can lie anywhere, and stripes across the wire last. In a tighter
        one, at the potential at which both phases of the mid-line coexist, the outer edge can only
        be rich and the inner one only poor.

        Args:
            law: Free-energy density without strain, of two phases with dchi.
            width: Width w of the wire; R is in its unit.

        Raises:
            InputError: There are no two phases.
        """
        pair = find_phases(law, self.chi_shift).narrowest
        lowest, highest = pair.loop
        reach = max(highest - pair.potential, pair.potential - lowest)
        return self.tilt * width / (2.0 * reach)

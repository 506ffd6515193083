"""Redlich-Kister free energies, of any number of phases, and those of two crystals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ufl.core.expr import Expr

from chemomech.materials.free_energy import Polynomial, RegularSolution
from chemomech.materials.scalars import Scalar


@dataclass(frozen=True)
class RedlichKister:
    r"""g(c) = c ln c + (1 - c) ln(1 - c) + m c + c (1 - c) sum_k L_k (2 c - 1)^k, units of RT C.

    With L_0 = chi alone it is the regular solution; odd terms make it lopsided, more terms make
    more phases. The linear term shifts mu, and with it the voltage.

    Args:
        linear: Coefficient m (dimensionless).
        coefficients: L_0, L_1, ... (dimensionless).
    """

    linear: Scalar
    coefficients: Sequence[Scalar]

    @property
    def bounds(self) -> tuple[float, float]:
        """Open interval (0, 1)."""
        return (0.0, 1.0)

    def density(self, c: Expr) -> Expr:
        """Return the free-energy density g(c)."""
        ideal = RegularSolution(0.0).density(c)
        excess = Polynomial(self.coefficients).density(2 * c - 1)
        return ideal + self.linear * c + c * (1 - c) * excess


LIXV2O5 = RedlichKister(3.6975657712, (-4.0762352616, 0.0, 6.7180478455, 0.0, -6.2452221198))
"""Alpha, epsilon and delta of Li_xV2O5, c = x: 0.1 | 0.3 to 0.7 | 0.9 in equilibrium.

Derived, not measured: the only coefficients up to L_4 with the windows and the plateaus, 3.39 V and
3.20 V, that doi:10.1039/d0mh01240h states. mu = 0 is the first plateau: the reference voltage is
3.39 V at 298.15 K. The barriers, 0.0099 RT C, follow from nothing but the form.
"""

LIXV2O5_PHASES = ("alpha", "epsilon", "delta")
"""Names of its phases by rising composition."""

LIFEPO4 = RegularSolution(4.5111)
"""Li_xFePO4, c = x, as MPET has it: Omega_a = 1.8560e-20 J, here per kT at 298 K.

From the tests of TRI-AMDD/mpet, commit ff49b29. mu = 0 is the plateau: the reference voltage is
3.422 V. Its phases are c = 0.0121 and 0.9879.
"""

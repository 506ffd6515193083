"""Drives of a reacting particle: a potential held, a current held, or rest."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Potentiostatic:
    """The reservoir's chemical potential is held.

    Args:
        potential: mu_res per RT.
    """

    potential: float


@dataclass(frozen=True)
class Galvanostatic:
    """The total current is held; mu_res is an unknown of the system.

    Args:
        outflow: Integral of J over the surface, in the problem's units (length^dim / time);
            positive takes lithium out.
    """

    outflow: float


@dataclass(frozen=True)
class Rest:
    """No current.

    Args:
        sealed: Nothing passes the surface anywhere, as of a particle taken out of its electrolyte.
            Otherwise the circuit is open: no net current, but lithium may leave at one place and
            enter at another.
    """

    sealed: bool = False


Drive = Potentiostatic | Galvanostatic | Rest

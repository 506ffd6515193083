"""The reservoir potential that draws a current from a surface whose state is known."""

from __future__ import annotations

from collections.abc import Callable

from scipy import optimize

from chemomech.errors import ConvergenceError

#: Distance from the surface's own potential, per RT, within which mu_res is looked for: 2.5 V at
#: room temperature.
_SEARCH = 100
#: Accuracy of mu_res, per RT.
_ACCURACY = 1e-10


def find_level(outflow: Callable[[float], float], target: float, start: float) -> float:
    """Find the mu_res (per RT) nearest to where a surface rests at which it passes a current.

    The search goes outwards from rest, one RT at a time. A law need not be monotone: that of Marcus
    passes less again at a great overpotential, and the branch that begins at rest is the one that a
    cell follows. Hence a maximum of the current is looked at more closely, not stepped over.

    Args:
        outflow: Lithium that leaves per time at a given mu_res.
        target: The current, in the same unit; positive takes lithium out.
        start: mu_res from which to look, per RT: the mean potential of the surface.

    Raises:
        ConvergenceError: The surface does not pass so much; it says how much it does.
    """
    excess = outflow(start) - target
    # Where too much leaves, a higher level of the reservoir keeps it in.
    direction = 1.0 if excess > 0.0 else -1.0

    def missing(distance: float) -> float:
        return direction * (outflow(start + direction * distance) - target)

    before = here = abs(excess)
    least = here
    for distance in range(_SEARCH):
        ahead = missing(distance + 1.0)
        if ahead <= 0.0:
            return start + direction * _find_root(missing, float(distance), distance + 1.0)
        least = min(least, ahead)
        if here <= before and here < ahead:
            nearest = max(distance - 1.0, 0.0)
            peak, lowest = _find_lowest(missing, nearest, distance + 1.0)
            if lowest <= 0.0:
                return start + direction * _find_root(missing, nearest, peak)
            least = min(least, lowest)
        before, here = here, ahead
    raise ConvergenceError(_explain(target, target + direction * least))


def _find_root(missing: Callable[[float], float], near: float, far: float) -> float:
    return float(optimize.brentq(missing, near, far, xtol=_ACCURACY))


def _find_lowest(missing: Callable[[float], float], near: float, far: float) -> tuple[float, float]:
    found = optimize.minimize_scalar(missing, bounds=(near, far), method="bounded")
    return float(found.x), float(found.fun)


def _explain(target: float, most: float) -> str:
    share = most / target if target else 0.0
    passed = f"{100 * share:.3g} % of it" if share > 0.0 else "none of it"
    return (
        "the particle's surface cannot sustain this current, whatever the voltage: at its present "
        f"composition its reactions pass at most {passed}; a lower current or a greater rate "
        "constant is needed"
    )

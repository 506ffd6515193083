"""Tell a stationary state from one that hardly moves but from which a pattern grows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.growth import WaveGrowth
from chemomech.solvers.steps import Step

#: Times that the fastest wave could grow by e while the rate must not rise.
_STRETCH = 10.0
#: Steps in the time in which it grows by e. Implicit steps many times as long would damp it.
_RESOLUTION = 2.0
#: Rise of the rate that shows growth, in so long a stretch even by a 200th of that of theory.
_RISE = 1.05
#: Share of the rate asked for below which a rise may be what Newton's method has left over.
_SHARE = 0.01
#: Change of composition, in the time of growth, that is round-off: nothing is there to grow.
_UNDISTURBED = 1e-12


@dataclass(frozen=True)
class Watch:
    """A stretch of steps over which little has moved, ever slower, since it began.

    It knows the lowest rate in it, the length of step that would show what grows, and whether it
    has lasted long enough.
    """

    began: float
    lowest: float
    longest: float
    settled: bool = False


class StationarityTest:
    """Tell whether a state is stationary, by more than a rate below a number.

    Near an unstable state, such as a hardly disturbed uniform one within the spinodal, the rate is
    as low as near a stable one, until what grows has grown. So the rate must be low while steps are
    short enough to show growth, and not rise for a stretch far longer than the fastest growth takes
    by theory; or nothing can grow at all, as far as theory knows: it does not where the elastic
    energy may make unstable what the chemical energy does not.

    Args:
        rate: Rate of composition below which a state may be stationary; zero: none is.
        follows_mobility: Whether the rate is that of a diffusivity of one. Then where the present
            state's least is lower, so is the rate at which it may be stationary.
        problem: The problem.
        watch: The present stretch, of an earlier run; None for none.

    Attributes:
        watch: The present stretch; None where the rate is not low.
    """

    def __init__(
        self,
        rate: float,
        problem: ChemoMechanics,
        watch: Watch | None = None,
        *,
        follows_mobility: bool = False,
    ) -> None:
        self._rate = rate
        self._follows_mobility = follows_mobility
        self._problem = problem
        self.watch = watch

    @cached_property
    def _growth(self) -> WaveGrowth:
        """Growth of waves, compiled when first asked for: most runs move from the first step on."""
        return WaveGrowth(self._problem)

    @property
    def longest(self) -> float:
        """Length that the next step must not exceed."""
        return math.inf if self.watch is None or self.watch.settled else self.watch.longest

    def update(self, step: Step) -> str | None:
        """Take a step into account, and tell by what the state it led to is stationary; collective.

        None tells that it is not, or not yet.
        """
        if step.rate >= self._rate:
            self.watch = None
            return None
        growth = self._growth.compute_highest()
        if growth == 0.0:
            self.watch = None
            ends = not self._growth.misses_strain and self._is_slow(step)
            return "no composition in it is unstable" if ends else None
        if step.rate < _UNDISTURBED * growth:
            return "nothing moves, and nothing disturbs it"
        self._extend(step, growth)
        if self.watch is None or not self.watch.settled or not self._is_slow(step):
            return None
        return f"slower and slower for {_STRETCH:g} times the growth time of the fastest wave"

    def _is_slow(self, step: Step) -> bool:
        """Tell whether the rate is low also for what diffuses least; collective."""
        if not self._follows_mobility:
            return True
        return step.rate < self._rate * min(1.0, self._growth.compute_least_diffusivity())

    def _extend(self, step: Step, growth: float) -> None:
        """Make a step part of the stretch, or begin another one."""
        rate = max(step.rate, _SHARE * self._rate)
        longest = 1.0 / (_RESOLUTION * growth)
        if self.watch is None or rate > _RISE * self.watch.lowest:
            self.watch = Watch(step.time, rate, longest)
            return
        settled = (step.time - self.watch.began) * growth >= _STRETCH
        self.watch = Watch(self.watch.began, min(rate, self.watch.lowest), longest, settled)

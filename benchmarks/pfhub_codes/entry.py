"""What every code is told and hands in: one setting, one field, some figures.

Only NumPy is needed here, for each code runs in an environment of its own.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Setting:
    """One run of one code.

    Args:
        cells: Cells (of a spectral code: modes) along an edge.
        control: Time step, or tolerance where the code chooses its steps.
        degree: Degree of the elements, for codes that have a choice.
        end: Time to reach.
        limit: Seconds on the clock after which to stop wherever the code is.
        field: File (.npz) for the points and the composition there.
        variant: A code's own word, such as a kind of cell or a solver.
    """

    cells: int
    control: float
    degree: int
    end: float
    limit: float
    field: Path
    variant: str


def read_setting(description: str | None) -> Setting:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--cells", type=int, required=True)
    parser.add_argument("--control", type=float, required=True)
    parser.add_argument("--degree", type=int, default=1)
    parser.add_argument("--end", type=float, default=100.0)
    parser.add_argument("--limit", type=float, default=float("inf"))
    parser.add_argument("--field", type=Path, required=True)
    parser.add_argument("--variant", default="")
    return Setting(**vars(parser.parse_args()))


class Clock:
    """Times the march alone: from the initial field, all set up and compiled, to the last step."""

    def __init__(self, setting: Setting) -> None:
        self._limit = setting.limit
        self.start()

    def start(self) -> None:
        """Begin the march."""
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def is_over(self) -> bool:
        """Whether the limit has been passed."""
        return time.perf_counter() - self._wall > self._limit

    def read(self) -> tuple[float, float]:
        """Seconds on the clock and of computing since the start."""
        return time.perf_counter() - self._wall, time.process_time() - self._cpu


def hand_in(
    setting: Setting,
    seconds: tuple[float, float],
    *,
    points: NDArray[np.float64],
    composition: NDArray[np.float64],
    reached: float,
    steps: int,
    energy: float | None = None,
) -> None:
    """Write the field and print the figures.

    Args:
        setting: What was asked for.
        seconds: Of the march, from :meth:`Clock.read`.
        points: Nodes, or centres of cells, shape (n, 2).
        composition: Composition there.
        reached: Time reached.
        steps: Steps taken.
        energy: Free energy by the code's own quadrature, where it has one.
    """
    np.savez(setting.field, points=points, composition=composition)
    figures = {
        "march_s": seconds[0],
        "march_cpu_s": seconds[1],
        "reached": reached,
        "steps": steps,
        "nodes": len(points),
    }
    if energy is not None:
        figures["energy"] = energy
    print(json.dumps(figures), flush=True)

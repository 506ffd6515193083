"""The cosine-spectral code as one of the sides: --cells modes along an edge, --control step."""

from __future__ import annotations

from pfhub_codes.entry import Clock, hand_in, read_setting
from pfhub_codes.spectral import create_centres, solve

setting = read_setting(__doc__)
clock = Clock(setting)
series, energy = solve(setting.cells, setting.control, setting.end)
seconds = clock.read()
points = create_centres(setting.cells)
hand_in(
    setting,
    seconds,
    points=points,
    composition=series.evaluate(points),
    reached=setting.end,
    steps=round(setting.end / setting.control),
    energy=energy,
)

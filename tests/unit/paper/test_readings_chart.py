"""The bars of the stress of two wires under each reading."""

import numpy as np

from chemomech.paper.readings_chart import ReadingRow, write_readings_chart


def test_bars_hold_their_numbers(tmp_path, pages):
    rows = [
        ReadingRow("normalised", 42e6, 42e6),
        ReadingRow("as printed", 42e6, 420e6),
        ReadingRow("none", 0.0, 1e6),
    ]
    write_readings_chart(tmp_path / "linear.png", rows)
    write_readings_chart(tmp_path / "log.png", rows[:2])
    for scale, drawn in (("linear", rows), ("log", rows[:2])):
        (axes,) = pages[scale].axes
        first, second = ([bar.get_width() for bar in bars] for bars in axes.containers)
        np.testing.assert_allclose(first, [row.first / 1e6 for row in drawn])
        np.testing.assert_allclose(second, [row.second / 1e6 for row in drawn])
        assert axes.get_xscale() == scale
        ratios = ["× 1.0", "× 10", "no stress in one wire"]
        assert [text.get_text() for text in axes.texts] == ratios[: len(drawn)]

"""The bars of the stress of two wires under each reading."""

import numpy as np

from chemomech.paper.order_of_magnitude import draw_readings


def test_bars_hold_their_numbers(tmp_path, pages):
    readings = ["normalised", "as printed", "none"]
    stresses = np.array([(42e6, 42e6), (42e6, 420e6), (0.0, 1e6)])
    draw_readings(tmp_path / "linear.png", readings, stresses)
    draw_readings(tmp_path / "log.png", readings[:2], stresses[:2])
    for scale, drawn in (("linear", stresses), ("log", stresses[:2])):
        (axes,) = pages[scale].axes
        bars = [[bar.get_width() for bar in bars] for bars in axes.containers]
        np.testing.assert_allclose(np.transpose(bars), drawn / 1e6)
        assert axes.get_xscale() == scale
        ratios = ["× 1.0", "× 10", "no stress in one wire"]
        assert [text.get_text() for text in axes.texts] == ratios[: len(drawn)]

import numpy as np
from matplotlib.image import imread

from chemomech.output.charts import write_ledger_chart
from chemomech.output.ledger import name_columns


def create_columns(dimension, steps):
    time = np.append(0.0, np.geomspace(1e-3, 10.0, steps)) if steps else np.zeros(1)
    columns = {name: np.zeros(time.size) for name in name_columns(dimension)}
    unit = "J" if dimension == 3 else "J_per_m"
    columns |= {"time_s": time, "dt_s": np.append(0.1, np.diff(time))}
    columns |= {f"energy_total_{unit}": 1e-15 * (3 - time), "c_min": 0.5 - time / 25}
    return columns | {"c_max": 0.5 + time / 25, "lithium_mean": np.full(time.size, 0.5)}


def test_curves_are_drawn(tmp_path):
    for dimension, steps in ((2, 50), (3, 50), (2, 0)):
        path = tmp_path / f"ledger_{dimension}_{steps}.png"
        write_ledger_chart(path, create_columns(dimension, steps))
        page = imread(path)[..., :3]
        assert page.shape[:2] == (1120, 1600)
        # The pale blue range between the extreme compositions fills part of the upper right panel.
        blue = (page[:560, 800:, 2] - page[:560, 800:, 0]) > 0.1
        assert (blue.sum() > 5000) == (steps > 0)

import numpy as np
import pytest
from matplotlib.image import imread

from chemomech.drawing.charts import _create_ledger_figure, write_ledger_chart
from chemomech.drawing.figure_parts import create_figure, save_figure
from chemomech.output.ledger import name_columns


def create_columns(dimension, steps):
    """A ledger whose energy parts, composition, balance and step size are told apart by value."""
    time = np.append(0.0, np.geomspace(1e-3, 10.0, steps)) if steps else np.zeros(1)
    columns = {name: np.zeros(time.size) for name in name_columns(dimension)}
    unit = "J" if dimension == 3 else "J_per_m"
    columns |= {"time_s": time, "dt_s": np.append(0.1, np.diff(time))}
    falls = {"chemical": 4.0, "gradient": -1.0, "elastic": -2.0, "total": 1.0}
    columns |= {f"energy_{part}_{unit}": 1e-15 * (3 - f * time) for part, f in falls.items()}
    columns |= {"c_min": 0.5 - time / 25, "c_max": 0.5 + time / 25}
    return columns | {
        "lithium_mean": np.full(time.size, 0.5),
        "lithium_balance_error": np.where(time > 1.0, -1e-12, 0.0),
    }


@pytest.mark.parametrize(("dimension", "unit"), [(2, "J/m"), (3, "J")])
def test_curves_are_those_of_the_ledger(dimension, unit):
    columns = create_columns(dimension, 50)
    time = columns["time_s"]
    energy, composition, balance, step = _create_ledger_figure(columns).axes

    drawn = {line.get_label(): line.get_xydata().T for line in energy.lines}
    for part, fall in {"chemical": 4.0, "gradient": -1.0, "elastic": -2.0, "total": 1.0}.items():
        np.testing.assert_array_equal(drawn[part][0], time)
        np.testing.assert_allclose(drawn[part][1], -1e-15 * fall * time, atol=1e-29)
    assert energy.yaxis.get_major_formatter()(2.0).endswith(unit)

    (mean,) = composition.lines
    np.testing.assert_array_equal(mean.get_xydata().T, [time, columns["lithium_mean"]])
    (band,) = composition.collections
    (corners,) = [path.vertices for path in band.get_paths()]
    at_the_end = corners[corners[:, 0] == time[-1], 1]
    assert (at_the_end.min(), at_the_end.max()) == pytest.approx((0.1, 0.9))
    assert composition.get_ylim() == (0.0, 1.0)

    # What is exactly zero is drawn at the size of a rounding error, on a logarithmic axis.
    error = balance.lines[0].get_ydata()
    np.testing.assert_allclose(error, np.where(time > 1.0, 1e-12, 2.0**-53))
    np.testing.assert_array_equal(step.lines[0].get_xydata().T, [time[1:], np.diff(time)])


@pytest.mark.parametrize(("steps", "scale"), [(50, "log"), (0, "linear")])
def test_time_is_logarithmic_where_steps_span_decades(steps, scale):
    figure = _create_ledger_figure(create_columns(2, steps))
    assert {panel.get_xscale() for panel in figure.axes} == {scale}
    assert len(figure.axes[3].lines) == (steps > 0)


def test_chart_is_a_page_of_its_size(tmp_path):
    write_ledger_chart(tmp_path / "ledger.png", create_columns(2, 5))
    assert imread(tmp_path / "ledger.png").shape[:2] == (1120, 1600)


def test_no_constant_stands_beside_a_chart(tmp_path):
    """A curve that hardly moves has ticks with all their digits, not an offset to be added."""
    figure = create_figure(3.0, 2.0)
    axes = figure.subplots()
    axes.plot([0.0, 1.0], [3.5209, 3.5209 + 1e-6])
    save_figure(figure, tmp_path / "chart.png")
    assert axes.yaxis.get_offset_text().get_text() == ""
    assert axes.get_yticklabels()[1].get_text().startswith("3.5209")

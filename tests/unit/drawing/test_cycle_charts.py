"""The page of a cycled particle."""

from functools import cache
from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.image import imread
from scipy.constants import R as GAS_CONSTANT

from chemomech.drawing.cycle_charts import _create_cycle_figure, write_cycle_chart
from chemomech.errors import InputError
from chemomech.materials.phases import Phase
from chemomech.output.ledger import name_columns
from chemomech.units import FARADAY

# Charge from x = 0 to 1, in C or C/m; voltage at mu = 0; s.
CAPACITY, REFERENCE, HOUR = 4e-12, 3.3, 3600.0
STRESSES = ("surface_von_mises_mean_Pa", "surface_hydrostatic_mean_Pa", "von_mises_max_Pa")


def compute_equilibrium(lithium):
    """Voltage of a regular solution, in V."""
    mixing = np.log(lithium / (1 - lithium)) + 2.75 * (1 - 2 * lithium)
    return REFERENCE - GAS_CONSTANT * 298.15 * mixing / FARADAY


def create_stage(time, lithium, current, overpotential, *, cycle=1, stage=1):
    """Columns of one step: the surface under compression on the way in, under tension out."""
    way = np.sign(current)
    bend = np.sin(np.pi * lithium) ** 2 * np.exp(-0.05 * cycle)
    voltage = compute_equilibrium(lithium) + overpotential
    surface = (60e6 - 20e6 * way) * bend
    return {
        "time_s": time,
        "cycle": np.full(time.size, cycle),
        "stage": np.full(time.size, stage),
        "lithium_mean": lithium,
        "voltage_V": voltage,
        "mu_res_J_per_mol": FARADAY * (REFERENCE - voltage),
        "overpotential_V": np.broadcast_to(overpotential, time.shape),
        "current_A": np.broadcast_to(current, time.shape),
        "charge_C": -CAPACITY * lithium,
        "surface_von_mises_mean_Pa": surface,
        "surface_hydrostatic_mean_Pa": 40e6 * way * bend,
        "von_mises_max_Pa": 6 * surface + 30e6 * (1 + np.sin(40 * lithium)),
    }


def create_ledger(parts, dimension=3):
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if dimension == 2:
        ends = ("_A", "_C")
        columns = {f"{k}_per_m" if k.endswith(ends) else k: v for k, v in columns.items()}
    names = name_columns(dimension, reacting=True)
    steps = len(columns["time_s"])
    assert columns.keys() <= set(names)
    return {name: columns.get(name, np.zeros(steps)) for name in names}


def create_cycles(cycles, dimension=3, leak=0.0):
    """Lithiate to x = 0.9 and delithiate to 0.1 at 1C, with rests after each, so many times."""
    parts, start, share = [], 0.0, np.linspace(0.0, 1.0, 50)
    for cycle in range(1, cycles + 1):
        for stage, ends in enumerate(((0.1, 0.9), (0.9, 0.9), (0.9, 0.1), (0.1, 0.1)), start=1):
            way = np.sign(ends[0] - ends[1])
            duration = HOUR * abs(ends[1] - ends[0]) if way else 600.0
            parts.append(
                create_stage(
                    start + duration * share,
                    ends[0] + (ends[1] - ends[0]) * share,
                    way * CAPACITY / HOUR if way else leak,
                    way * (0.006 + 0.001 * cycle),
                    cycle=cycle,
                    stage=stage,
                )
            )
            start += duration
    return create_ledger(parts, dimension)


def create_held(duration=40.0):
    """One lithiation at constant voltage, in growing steps."""
    time = np.append(0.0, np.geomspace(1e-4 * duration, duration, 59))
    lithium = 0.98 - 0.96 * np.exp(-5 * time / duration)
    current = CAPACITY * 5 / duration * (lithium - 0.98)
    overpotential = REFERENCE - 0.02 - compute_equilibrium(lithium)
    return create_ledger([create_stage(time, lithium, current, overpotential)])


def hide_reference(columns):
    return columns | {"voltage_V": np.full(len(columns["step"]), np.nan)}


def keep(columns, rows):
    return {name: values[rows] for name, values in columns.items()}


def get_panel(figure, label):
    (panel,) = (axes for axes in figure.axes if axes.get_label() == label)
    return panel


def get_half_cycles(panel):
    return [line for line in panel.lines if line.get_gid() in ("lithiation", "delithiation")]


LEDGERS = {
    "held": create_held(),
    "five in 2-D": create_cycles(5, 2),
    "two without a reference": hide_reference(create_cycles(2)),
    "rest": keep(create_cycles(1), slice(50, 100)),
    "first line": keep(create_cycles(1), slice(1)),
}


@cache
def draw(name):
    return _create_cycle_figure(LEDGERS[name])


@pytest.mark.parametrize("name", ["held", "five in 2-D"])
def test_pages_are_written_in_colour(tmp_path, name):
    path = tmp_path / "cycles.png"
    write_cycle_chart(path, LEDGERS[name])
    page = imread(path)[..., :3]
    height, width = page.shape[:2]
    assert 1400 < height < 1800
    assert 1600 < width < 2000
    for kind, colour in (("in", "#0072B2"), ("out", "#D55E00")):
        drawn = (np.abs(page - to_rgb(colour)).max(axis=2) < 0.02).sum()
        assert (drawn > 1000) == (kind == "in" or name != "held")


@pytest.mark.parametrize("name", LEDGERS)
def test_nothing_lies_on_anything_else(name):
    figure = draw(name)
    figure.draw_without_rendering()
    (key,) = figure.legends
    boxes = [item.get_tightbbox() for item in (key, *figure.axes)]
    for first, second in combinations(boxes, 2):
        gaps = (second.x0 - first.x1, first.x0 - second.x1, second.y0 - first.y1)
        assert max(*gaps, first.y0 - second.y1) > -1
    page = figure.bbox
    assert all(box.x0 >= 0 and box.x1 <= page.x1 for box in boxes)
    for panel in figure.axes:
        labels = [label for label in panel.get_yticklabels() if label.get_text()]
        places = sorted(label.get_window_extent().y0 for label in labels)
        letters = labels[0].get_window_extent().height
        assert all(higher - lower > letters for lower, higher in pairwise(places))


def test_half_cycles_hold_the_data_of_their_stages():
    columns = LEDGERS["five in 2-D"]
    figure = draw("five in 2-D")
    scales = dict.fromkeys(STRESSES, 1e6) | {"voltage_V": 1.0}
    for name, scale in scales.items():
        label = "voltage" if name == "voltage_V" else name
        lines = get_half_cycles(get_panel(figure, f"{label} over lithium"))
        assert [line.get_gid() for line in lines] == ["lithiation", "delithiation"] * 5
        for index, line in enumerate(lines):
            rows = (columns["cycle"] == index // 2 + 1) & (columns["stage"] == 1 + 2 * (index % 2))
            np.testing.assert_array_equal(line.get_xdata(), columns["lithium_mean"][rows])
            np.testing.assert_allclose(line.get_ydata(), columns[name][rows] / scale, rtol=1e-12)


def test_cycles_are_told_apart_by_shade_and_directions_by_colour():
    figure = draw("five in 2-D")
    for panel in figure.axes[:4]:
        for start, full in ((0, "#0072B2"), (1, "#D55E00")):
            colours = np.array([line.get_color() for line in get_half_cycles(panel)[start::2]])
            assert (np.diff(colours.sum(axis=1)) < -0.1).all()
            np.testing.assert_allclose(colours[-1], to_rgb(full))
    (only,) = get_half_cycles(get_panel(draw("held"), figure.axes[1].get_label()))
    np.testing.assert_allclose(only.get_color(), to_rgb("#0072B2"))


def test_largest_stress_is_thinner_than_the_means():
    figure = draw("held")
    for abscissa in ("lithium", "time"):
        *means, largest = (get_panel(figure, f"{name} over {abscissa}").lines for name in STRESSES)
        for lines in means:
            assert largest[0].get_linewidth() < 0.7 * lines[0].get_linewidth()


@pytest.mark.parametrize("leak", [0.0, 1e-9 * CAPACITY / HOUR, -1e-9 * CAPACITY / HOUR])
def test_rests_leave_no_line(leak):
    columns = create_cycles(2, leak=leak)
    figure = _create_cycle_figure(columns)
    for panel in figure.axes[:4]:
        assert [line.get_gid() for line in get_half_cycles(panel)] == [
            "lithiation",
            "delithiation",
        ] * 2
        assert all(np.ptp(line.get_xdata()) > 0.7 for line in panel.lines)
    assert "rest" in [text.get_text() for text in figure.legends[0].get_texts()]
    only_rest = draw("rest")
    assert not any(panel.lines for panel in only_rest.axes[:4])


def test_small_currents_are_no_rests():
    columns = LEDGERS["held"]
    slow = keep(columns, slice(1, 20)) | {"stage": np.full(19, 2)}
    slow["current_A"] = np.full(19, 1e-4 * np.abs(columns["current_A"]).max())
    both = {name: np.concatenate([columns[name], slow[name]]) for name in columns}
    panel = get_panel(_create_cycle_figure(both), "voltage over lithium")
    assert [line.get_gid() for line in get_half_cycles(panel)] == ["lithiation", "delithiation"]


def test_without_a_reference_the_voltage_is_that_against_the_reservoir_at_rest():
    columns = LEDGERS["two without a reference"]
    figure = draw("two without a reference")
    expected = -1e3 * columns["mu_res_J_per_mol"] / FARADAY
    panel = get_panel(figure, "voltage over lithium")
    np.testing.assert_allclose(get_half_cycles(panel)[0].get_ydata(), expected[:50], rtol=1e-12)
    history = get_panel(figure, "voltage over time")
    np.testing.assert_allclose(history.lines[0].get_ydata(), expected, rtol=1e-12)
    for axes in (panel, history):
        assert "reference" in axes.get_ylabel()
        assert "mathrm{res}/F$ (mV)" in axes.get_ylabel()


def test_dashes_show_the_equilibrium_voltage():
    for name, count in (("held", 1), ("five in 2-D", 10)):
        panel = get_panel(draw(name), "voltage over lithium")
        dashed = [line for line in panel.lines if line.get_gid() == "equilibrium"]
        assert len(dashed) == count
        for line in dashed:
            expected = compute_equilibrium(line.get_xdata())
            np.testing.assert_allclose(line.get_ydata(), expected, rtol=1e-12)


def test_histories_hold_every_line_of_the_ledger():
    columns = LEDGERS["five in 2-D"]
    figure = draw("five in 2-D")
    scales = dict.fromkeys(STRESSES, 1e6) | {"voltage_V": 1.0, "current_A_per_m": 1e-15}
    for name, scale in scales.items():
        label = name if name in STRESSES else name.partition("_")[0]
        (line,) = get_panel(figure, f"{label} over time").lines
        np.testing.assert_allclose(line.get_xdata(), columns["time_s"] / HOUR, rtol=1e-12)
        np.testing.assert_allclose(line.get_ydata(), columns[name] / scale, rtol=1e-12)


def test_background_tells_the_stages():
    figure = _create_cycle_figure(create_cycles(2))
    turn, empty, cycle = 0.8 + 1 / 6, 1.6 + 1 / 6, 1.6 + 1 / 3
    hours = {"lithiation": [(0, 0.8)], "rest": [(0.8, turn), (empty, cycle)]}
    hours["delithiation"] = [(turn, empty)]
    for panel in figure.axes:
        if not panel.get_label().endswith("time"):
            continue
        for spans in panel.collections:
            first = hours[spans.get_gid()]
            expected = first + [(start + cycle, end + cycle) for start, end in first]
            drawn = [(p.vertices[:, 0].min(), p.vertices[:, 0].max()) for p in spans.get_paths()]
            np.testing.assert_allclose(drawn, expected, rtol=1e-12, atol=1e-12)
        assert {spans.get_gid() for spans in panel.collections} == hours.keys()


def test_labels_carry_units():
    units = {"held": ("A", "C", "s"), "five in 2-D": ("A/m", "C/m", "h")}
    for name, (current, charge, time) in units.items():
        figure = draw(name)
        for stress in STRESSES:
            for abscissa in ("lithium", "time"):
                assert get_panel(figure, f"{stress} over {abscissa}").get_ylabel().endswith("(MPa)")
        assert get_panel(figure, "voltage over time").get_ylabel() == "Voltage (V)"
        assert get_panel(figure, "current over time").get_ylabel().endswith(f"(f{current})")
        (top,) = get_panel(figure, "voltage over lithium").child_axes
        assert top.get_xlabel().endswith(f"(p{charge})")
        assert get_panel(figure, f"{STRESSES[-1]} over time").get_xlabel() == f"Time ({time})"
    brief = _create_cycle_figure(create_held(duration=0.03))
    assert get_panel(brief, f"{STRESSES[-1]} over time").get_xlabel() == "Time (ms)"


def test_top_axis_counts_lithium_as_charge():
    figure = draw("held")
    figure.draw_without_rendering()
    panel = get_panel(figure, "voltage over lithium")
    (top,) = panel.child_axes
    charges = np.array(panel.get_xlim()) * CAPACITY / 1e-12
    np.testing.assert_allclose(top.get_xlim(), charges, rtol=1e-9)


def test_rounding_errors_of_what_is_constant_are_not_shown():
    columns = dict(LEDGERS["held"])
    noise = np.random.default_rng(0).normal(size=len(columns["step"]))
    for name in STRESSES:
        columns[name] = 1e-3 * noise
    columns["voltage_V"] = REFERENCE + 1e-14 * noise
    figure = _create_cycle_figure(columns)
    for label in ("voltage over time", *(f"{name} over lithium" for name in STRESSES)):
        low, high = get_panel(figure, label).get_ylim()
        assert high - low >= 0.01


def test_ledger_without_a_reaction_is_refused():
    columns = {name: np.zeros(3) for name in name_columns(3)}
    with pytest.raises(InputError, match="not that of a reacting particle: it has no cycle"):
        _create_cycle_figure(columns)


def test_phases_are_named_in_their_windows():
    phases = [Phase("poor", -np.inf, 0.2), Phase("rich", 0.7, 1.0), Phase("none", 1.5, 2.0)]
    figure = _create_cycle_figure(LEDGERS["five in 2-D"], phases)
    panel = get_panel(figure, "voltage over lithium")
    limits = panel.get_xlim()
    assert limits == pytest.approx(
        get_panel(draw("five in 2-D"), "voltage over lithium").get_xlim()
    )
    places = {text.get_text(): text.get_position()[0] for text in panel.texts}
    ends = (limits[0], 0.2, 0.7, min(1.0, limits[1]))
    middles = {"poor": (ends[0] + ends[1]) / 2, "rich": (ends[2] + ends[3]) / 2}
    assert places == pytest.approx(middles)


def test_without_stress_there_are_no_panels_of_it():
    columns = dict(LEDGERS["held"]) | {name: np.zeros(60) for name in STRESSES}
    figure = _create_cycle_figure(columns)
    labels = {axes.get_label() for axes in figure.axes}
    assert labels == {"voltage over lithium", "voltage over time", "current over time"}
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["(a)", "(b)", ""]


def test_a_constant_current_shows_no_rounding_errors():
    columns = dict(LEDGERS["held"])
    noise = np.random.default_rng(0).normal(size=len(columns["step"]))
    columns["current_A"] = -CAPACITY / HOUR * (1.0 + 1e-9 * noise)
    panel = get_panel(_create_cycle_figure(columns), "current over time")
    low, high = panel.get_ylim()
    assert high - low > 0.05 * max(abs(low), abs(high))

"""Figure 4C-H: patterns in the bent wire for a series of gradient coefficients."""

from __future__ import annotations

from collections.abc import Sequence

from chemomech.analysis.results import RunResults
from chemomech.drawing.styles import format_time
from chemomech.paper.beyond import draw_ends
from chemomech.paper.page import Cell, Findings, Picture, Table
from chemomech.paper.reproduction import Reproduction
from chemomech.sweeps.summary import measure_run

_NOT_GIVEN = (
    "The paper gives neither kappa nor chi, nor the radius of the bend, nor whether the wire is in "
    "plane stress or plane strain: kappas, chi = 2.75, the bend and plane strain are this "
    "package's choice."
)
#: Columns of the table beside kappa: the names `measure_run` gives, which end in the unit.
_MEASURES = (
    *("time_s", "domains", "spanning_fraction", "period_nm", "interface_width_nm"),
    *("von_mises_p50_Pa", "von_mises_p95_Pa", "von_mises_p99_Pa"),
    *("energy_chemical_J_per_m", "energy_gradient_J_per_m", "energy_elastic_J_per_m"),
)


def make(work: Reproduction) -> Findings:
    """Run the wires, draw their ends side by side, and measure them."""
    runs = work.run_sweep("4C-H")
    widths = [1e9 * (run.config.material.interface_width or 0.0) for run in runs]
    letters = "CDEFGH" if len(runs) == 6 else "abcdef"
    titles = [
        f"({letter}) $\\kappa$ = {run.config.material.kappa:.3g} J m$^2$/mol\n"
        f"$s$ = {width:.3g} nm, "
        for letter, run, width in zip(letters, runs, widths, strict=False)
    ]
    draw_ends(work.folder, runs, titles)
    measures = [measure_run(run) for run in runs]
    table = tabulate(runs, measures)
    first, last = measures[0], measures[-1]
    return Findings(
        computed=f"{len(runs)} wires from one and the same noise, with walls that are "
        f"{widths[0]:.3g} to {widths[-1]:.3g} nm wide without stress, on meshes of one recipe. "
        "Each runs for the same multiple of the time in which its fastest wave grows by e. From "
        f"the smallest kappa to the largest, domains go from **{first['domains']} to "
        f"{last['domains']}**, the part of them that spans the wire from "
        f"**{first['spanning_fraction']:.2f} to {last['spanning_fraction']:.2f}**, the mean period "
        f"from **{first['period_nm']:.3g} to {last['period_nm']:.3g} nm**. Percentiles of the von "
        "Mises stress are by area; energies are per metre of depth.",
        differs=f"{_NOT_GIVEN} So no panel here is the counterpart of one panel there; what can be "
        "compared is the trend, from many thin domains in all directions to few broad stripes "
        "across the wire. These patterns are long-lived, not final: the least energy of a long "
        "wire has one wall, and a run that lasts longer has fewer domains. As in the paper, the "
        "bent shape itself is free of stress, so nothing draws stripes to the bend.",
        pictures=[
            Picture("composition.png", f"Composition at the end. {_NOT_GIVEN}"),
            Picture("von_mises.png", f"Von Mises stress at the end. {_NOT_GIVEN}"),
        ],
        films=work.list_films(
            runs,
            [
                f"kappa = {run.config.material.kappa:.3e} J m²/mol, "
                f"{format_time(float(run.times[-1]))}"
                for run in runs
            ],
        ),
        tables=[table],
    )


def tabulate(runs: Sequence[RunResults], measures: Sequence[dict[str, object]]) -> Table:
    """Tabulate for each run kappa, and what was measured at its end.

    Args:
        runs: The runs.
        measures: What `measure_run` says of each.
    """
    rows: list[list[Cell]] = []
    for run, measured in zip(runs, measures, strict=True):
        values = [measured[name] for name in _MEASURES]
        assert all(isinstance(value, float | int) for value in values)
        rows.append([run.config.material.kappa, *values])  # type: ignore[list-item]
    return Table("patterns", "The ends of all runs", ["kappa_J_m2_per_mol", *_MEASURES], rows)

"""Figure 4C-H: patterns in the bent wire for a series of gradient coefficients."""

from __future__ import annotations

from chemomech import format_time, measure_run
from chemomech.paper.page import Findings, Table
from chemomech.paper.reproduction import Reproduction

#: Columns of the table beside kappa: the names `measure_run` gives, which end in the unit.
_MEASURES = (
    *("time_s", "domains", "spanning_fraction", "period_nm", "interface_width_nm"),
    *("von_mises_p50_Pa", "von_mises_p95_Pa", "von_mises_p99_Pa"),
    *("energy_chemical_J_per_m", "energy_gradient_J_per_m", "energy_elastic_J_per_m"),
)


def make(work: Reproduction) -> Findings:
    """Run the wires, draw their ends side by side, and measure them."""
    runs = work.run_sweep()
    kappas = [run.config.material.kappa for run in runs]
    widths = [1e9 * (run.config.material.interface_width or 0.0) for run in runs]
    letters = "CDEFGH" if len(runs) == 6 else "abcdef"
    titles = [
        f"({letter}) $\\kappa$ = {kappa:.3g} J m$^2$/mol\n$s$ = {width:.3g} nm, "
        for letter, kappa, width in zip(letters, kappas, widths, strict=False)
    ]
    work.draw_ends(runs, titles)
    measures = [measure_run(run) for run in runs]
    columns = {name: [measured[name] for measured in measures] for name in _MEASURES}
    times = [format_time(float(run.times[-1])) for run in runs]
    return Findings(
        values={"widths": widths, "first": measures[0], "last": measures[-1]},
        films=work.list_films(
            runs,
            [f"kappa = {k:.3e} J m²/mol, {time}" for k, time in zip(kappas, times, strict=True)],
        ),
        tables=[
            Table("patterns", "The ends of all runs", {"kappa_J_m2_per_mol": kappas, **columns})
        ],
    )

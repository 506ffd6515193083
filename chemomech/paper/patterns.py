"""Figure 4C-H: patterns in the bent wire for a series of gradient coefficients."""

from __future__ import annotations

from chemomech import format_time, measure_run
from chemomech.paper.page import Findings, Table
from chemomech.paper.reproduction import Reproduction

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
    runs = work.run_sweep()
    kappas = [run.config.material.kappa for run in runs]
    widths = [1e9 * (run.config.material.interface_width or 0.0) for run in runs]
    letters = "CDEFGH" if len(runs) == 6 else "abcdef"
    titles = [
        f"({letter}) $\\kappa$ = {kappa:.3g} J m$^2$/mol\n$s$ = {width:.3g} nm, "
        for letter, kappa, width in zip(letters, kappas, widths, strict=False)
    ]
    measures = [measure_run(run) for run in runs]
    first, last = measures[0], measures[-1]
    columns = {name: [measured[name] for measured in measures] for name in _MEASURES}
    times = [format_time(float(run.times[-1])) for run in runs]
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
        pictures=work.draw_ends(runs, titles, _NOT_GIVEN),
        films=work.list_films(
            runs,
            [f"kappa = {k:.3e} J m²/mol, {time}" for k, time in zip(kappas, times, strict=True)],
        ),
        tables=[
            Table("patterns", "The ends of all runs", {"kappa_J_m2_per_mol": kappas, **columns})
        ],
    )

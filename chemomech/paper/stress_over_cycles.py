"""Figure 1A: a film's stress from its plate's curvature, and one particle's stress and voltage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mpi4py import MPI

from chemomech.arrays import FloatArray
from chemomech.config import Config, load_config
from chemomech.drawing.cycle_charts import write_cycle_chart
from chemomech.drawing.figure_parts import CATEGORY_COLOURS
from chemomech.output.file_names import LEDGER
from chemomech.output.ledger import Columns, read_ledger
from chemomech.paper.chart_page import create_charts, save_charts
from chemomech.paper.page import Cell, Findings, Picture, Table
from chemomech.paper.reproduction import Reproduction, find_configuration
from chemomech.simulation.simulation import simulate
from chemomech.tables.stoney import StoneySubstrate

_PLATE = StoneySubstrate(young_modulus=203e9, poisson_ratio=0.29, thickness=0.736e-3)
"""The paper's plate."""
_FILM_THICKNESS = 42.3e-6
"""The paper's film, in m."""
_CONTRAST = 0.2
"""Lithium, as x, that the film takes up and gives back while the particle goes from empty to full:
so little that its stress is the several hundred MPa of the paper's films."""

SHORT = [
    "geometry.width=20 nm",
    "geometry.legs=25 nm",
    "mesh.size=5 nm",
    "mesh.allow_coarse=true",
    "reaction.0.rate_constant=1e-8 m/s",
    "schedule.cycles=2",
    "schedule.step.0.c_rate=50",
    "schedule.step.1.duration=5 s",
    "schedule.step.2.c_rate=50",
    "schedule.step.3.duration=5 s",
    "time.max_step=1 s",
    "output.count=3",
]
"""A fast surface cycles a small particle fifty times as fast."""

_INITIAL_CURVATURE, _NOISE = 0.05, 2e-3
_SYNTHETIC = "The trace of curvature is synthetic: the paper's is not public."


@dataclass(frozen=True, eq=False)
class Trace:
    """A synthetic record of a plate whose film follows a lithium content.

    Args:
        time: In h, shape (n,).
        true_stress: Of the film, in Pa, shape (n,).
        curvature: With noise, in 1/m, positive where the film's side is concave, shape (n,).
    """

    time: FloatArray
    true_stress: FloatArray
    curvature: FloatArray

    @property
    def stress(self) -> FloatArray:
        """The film's stress by Stoney's equation (eqn 1), in Pa, counted from the first entry."""
        return _PLATE.film_stress(self.curvature - self.curvature[0], _FILM_THICKNESS)


def make(work: Reproduction) -> Findings:
    """Cycle a particle, let a film follow it, and get the film's stress back from its curvature."""
    config = load_config(find_configuration("1A"), MPI.COMM_SELF, SHORT if work.short else [])
    simulate(config, work.folder / "runs", MPI.COMM_SELF, restart=True)
    ledger = read_ledger(work.folder / "runs" / LEDGER)
    trace = _create_trace(ledger, config)
    _draw(work.folder / "figure.png", trace, ledger)
    write_cycle_chart(work.folder / "particle.png", ledger)
    error = float(np.sqrt(np.mean((trace.stress - trace.true_stress) ** 2)))
    constant = _PLATE.stress_per_curvature(_FILM_THICKNESS)
    cycles = int(ledger["cycle"].max())
    voltage = ledger["voltage_V"].astype(np.float64)
    stress = ledger["surface_von_mises_mean_Pa"].astype(np.float64)
    rows: list[list[Cell]] = [
        list(map(float, row))
        for row in zip(trace.time, trace.curvature, trace.stress, trace.true_stress, strict=True)
    ]
    return Findings(
        computed=f"**Film.** With the paper's plate and film, Stoney's constant is "
        f"**{constant:.4e} "
        f"Pa m**: 1 MPa bends the plate by {1e6 / constant:.4e} 1/m. {_SYNTHETIC} A film whose "
        f"lithium follows that of the particle below by {_CONTRAST:g} has the stress -E eta dx/(1 "
        f"- nu), at most {np.abs(trace.true_stress).max() / 1e6:.0f} MPa of compression; from the "
        f"curvature, to which noise of {_NOISE:g} 1/m was added, it comes back to within "
        f"**{error / 1e6:.1f} MPa** (root mean square).\n\n**Particle.** A small wire over "
        f"{cycles} cycles at constant current between cut-off voltages: its voltage lies between "
        f"{np.nanmin(voltage):.3f} and {np.nanmax(voltage):.3f} V, and its largest mean von Mises "
        f"stress at the surface is **{stress.max() / 1e6:.0f} MPa**, while two phases are in it.",
        differs="A film on a plate is held in its plane and is under compression whenever lithium "
        "is in it. A particle is not held: full or empty it is free of stress, and only the "
        "contrast between its phases strains it, so its stress rises and falls within each half "
        "cycle. The paper gives neither rate constant nor chi, and its cell's voltage is that of "
        "many particles; here one plateau (epsilon/delta, 3.2 V) stands for all.",
        pictures=[
            Picture("figure.png", f"Curvature, film stress, voltage. {_SYNTHETIC}"),
            Picture(
                "particle.png",
                "Voltage, current and stress of the particle; chi, kappa, D and the rate constant "
                "are this package's choice.",
            ),
        ],
        tables=[
            Table("film", "Film", ["time_h", "curvature_1/m", "stress_Pa", "true_stress_Pa"], rows,
                  shown=False),
            _tabulate_particle(ledger),
        ],
    )  # fmt: skip


def _create_trace(ledger: Columns, config: Config) -> Trace:
    """Let a film follow a particle: sigma = -E eta dx / (1 - nu), K = K_0 + sigma / constant.

    Args:
        ledger: Of the particle.
        config: Of the particle, whose Young's modulus, Poisson's ratio and molar volume it has.
    """
    mechanics = config.mechanics
    assert mechanics is not None
    elastic, eigenstrain = mechanics.elasticity, mechanics.eigenstrain
    assert elastic.kind == "isotropic"
    assert eigenstrain.kind == "vegard"
    lithium = _CONTRAST * ledger["lithium_mean"].astype(np.float64)
    expansion = eigenstrain.partial_molar_volume * config.material.site_concentration / 3
    modulus = elastic.young_modulus / (1.0 - elastic.poisson_ratio)
    stress = -modulus * expansion * (lithium - lithium[0])
    bent = stress / _PLATE.stress_per_curvature(_FILM_THICKNESS)
    noise = _NOISE * np.random.default_rng(1).standard_normal(len(bent))
    noise[0] = 0.0
    hours = ledger["time_s"].astype(np.float64) / 3600.0
    return Trace(np.asarray(hours), stress, _INITIAL_CURVATURE + bent + noise)


def _draw(path: Path, trace: Trace, ledger: Columns) -> None:
    figure, charts = create_charts(3)
    curvature, stress, voltage = charts
    curvature.plot(trace.time, trace.curvature, ".", markersize=1.5, color=CATEGORY_COLOURS[0])
    curvature.set(xlabel="Time (h)", ylabel="Curvature (m⁻¹), synthetic")
    stress.plot(
        *(trace.time, trace.stress / 1e6, "."), markersize=1.5, color=CATEGORY_COLOURS[0],
        label="from the curvature (eqn 1)",
    )  # fmt: skip
    stress.plot(trace.time, trace.true_stress / 1e6, "k-", linewidth=0.7, label="put in")
    stress.set(xlabel="Time (h)", ylabel="Film stress (MPa)")
    stress.set_ylim(top=0.4 * np.ptp(trace.stress) / 1e6)
    stress.legend(loc="upper center")
    voltage.plot(trace.time, ledger["voltage_V"], color=CATEGORY_COLOURS[3], linewidth=0.8)
    voltage.set(xlabel="Time (h)", ylabel="Voltage of the particle (V)")
    save_charts(path, figure, charts)


def _tabulate_particle(ledger: Columns) -> Table:
    names = [
        *("time_s", "cycle", "stage", "lithium_mean", "voltage_V", "surface_von_mises_mean_Pa"),
        *("surface_hydrostatic_mean_Pa", "von_mises_max_Pa"),
    ]
    rows: list[list[Cell]] = [
        [float(value) for value in row] for row in zip(*(ledger[n] for n in names), strict=True)
    ]
    return Table("particle", "Particle", names, rows, shown=False)

"""Figure 1A: a film's stress from its plate's curvature, and one particle's stress and voltage."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import ArrayLike, NDArray

from chemomech import RunResults, StoneySubstrate, load_config, open_run, simulate
from chemomech.paper.charts import COLOURS, open_charts
from chemomech.paper.page import Findings, Table
from chemomech.paper.reproduction import Reproduction, find_configuration

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

_COLUMNS = (
    *("time_s", "cycle", "stage", "lithium_mean", "voltage_V", "surface_von_mises_mean_Pa"),
    *("surface_hydrostatic_mean_Pa", "von_mises_max_Pa"),
)
"""Columns of the ledger in the table of the particle."""

_INITIAL_CURVATURE, _NOISE = 0.05, 2e-3


@dataclass(frozen=True, eq=False)
class _Trace:
    """A synthetic record of a plate whose film follows a lithium content.

    Args:
        time: In h, shape (n,).
        true_stress: Of the film, in Pa, shape (n,).
        curvature: With noise, in 1/m, positive where the film's side is concave, shape (n,).
    """

    time: NDArray[np.floating]
    true_stress: NDArray[np.floating]
    curvature: NDArray[np.floating]

    @property
    def stress(self) -> NDArray[np.floating]:
        """The film's stress by Stoney's equation (eqn 1), in Pa, counted from the first entry."""
        return _PLATE.film_stress(self.curvature - self.curvature[0], _FILM_THICKNESS)


def make(work: Reproduction) -> Findings:
    """Cycle a particle, let a film follow it, and get the film's stress back from its curvature."""
    folder = work.folder / "runs"
    config = load_config(find_configuration("1A"), MPI.COMM_SELF, SHORT if work.short else [])
    simulate(config, folder, MPI.COMM_SELF, restart=True)
    run = open_run(folder)
    voltage, trace = run.ledger["voltage_V"], _create_trace(run)
    _draw(work.folder / "figure.png", trace, voltage)
    shutil.copyfile(folder / "pictures" / "cycles.png", work.folder / "particle.png")
    return Findings(
        values={
            "constant": _PLATE.stress_per_curvature(_FILM_THICKNESS),
            "contrast": _CONTRAST,
            "compression": np.abs(trace.true_stress).max() / 1e6,
            "noise": _NOISE,
            "error": np.sqrt(np.mean((trace.stress - trace.true_stress) ** 2)) / 1e6,
            "cycles": run.ledger["cycle"].max(),
            "lowest": np.nanmin(voltage),
            "highest": np.nanmax(voltage),
            "stress": run.ledger["surface_von_mises_mean_Pa"].max() / 1e6,
        },
        tables=[
            Table(
                "film",
                "Film",
                {
                    "time_h": trace.time,
                    "curvature_1/m": trace.curvature,
                    "stress_Pa": trace.stress,
                    "true_stress_Pa": trace.true_stress,
                },
                shown=False,
            ),
            Table("particle", "Particle", {n: run.ledger[n] for n in _COLUMNS}, shown=False),
        ],
    )


def _create_trace(run: RunResults) -> _Trace:
    """Let a film follow a particle: sigma = -E eta dx / (1 - nu), K = K_0 + sigma / constant.

    Args:
        run: Of the particle, whose Young's modulus, Poisson's ratio and molar volume the film has.
    """
    mechanics = run.config.mechanics
    assert mechanics is not None
    constants = mechanics.elasticity.isotropic_constants
    expansion = mechanics.eigenstrain.find_expansion(run.config.material.site_concentration)
    assert constants is not None
    assert expansion is not None
    young, poisson = constants
    lithium = _CONTRAST * run.ledger["lithium_mean"]
    stress = -young / (1.0 - poisson) * expansion * (lithium - lithium[0])
    bent = stress / _PLATE.stress_per_curvature(_FILM_THICKNESS)
    noise = _NOISE * np.random.default_rng(1).standard_normal(len(bent))
    noise[0] = 0.0
    return _Trace(run.ledger["time_s"] / 3600.0, stress, _INITIAL_CURVATURE + bent + noise)


def _draw(path: Path, trace: _Trace, volts: ArrayLike) -> None:
    with open_charts(path, 3) as (curvature, stress, voltage):
        dots: dict[str, Any] = {
            "linestyle": "",
            "marker": ".",
            "markersize": 1.5,
            "color": COLOURS[0],
        }
        curvature.plot(trace.time, trace.curvature, **dots)
        curvature.set(xlabel="Time (h)", ylabel="Curvature (m⁻¹), synthetic")
        stress.plot(trace.time, trace.stress / 1e6, label="from the curvature (eqn 1)", **dots)
        stress.plot(trace.time, trace.true_stress / 1e6, "k-", linewidth=0.7, label="put in")
        stress.set(xlabel="Time (h)", ylabel="Film stress (MPa)")
        stress.set_ylim(top=0.4 * np.ptp(trace.stress) / 1e6)
        stress.legend(loc="upper center")
        voltage.plot(trace.time, volts, color=COLOURS[3], linewidth=0.8)
        voltage.set(xlabel="Time (h)", ylabel="Voltage of the particle (V)")

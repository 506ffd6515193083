"""List what a run records of a step, in SI units: what every one has, and what reacts besides."""

from __future__ import annotations

import math
import time as clock
from dataclasses import dataclass

import numpy as np
from dolfinx import fem
from mpi4py import MPI

from chemomech.output.domains import DomainCounter
from chemomech.output.ledger import name_column
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.observables import Observable
from chemomech.problems.stress_fields import StressFields
from chemomech.simulation.stages import Position
from chemomech.solvers.steps import Step
from chemomech.units import Scales


@dataclass
class RecordedStep:
    """The step being recorded, its place in the schedule, the mean composition it led to."""

    step: Step
    position: Position
    mean: float


def list_observables(
    problem: ChemoMechanics,
    scales: Scales,
    stress: StressFields | None,
    moment: RecordedStep,
    initial_mean: float,
    started: float,
    threshold: float,
) -> list[Observable]:
    """List the columns of every ledger.

    The run began with the mean composition ``initial_mean`` when the monotonic clock said
    ``started``; places of a composition above the threshold are Li-rich. Stress is None without
    mechanics.
    """
    dimension = problem.domain.mesh.geometry.dim
    unit = scales.energy(dimension)
    domains = DomainCounter(problem.c)

    def balance_error() -> float:
        return moment.mean - (initial_mean - moment.step.released["c"] / problem.volume)

    def energy(part: str) -> Observable:
        name = name_column(f"energy_{part}_J", dimension)
        return Observable(name, lambda: moment.step.energies.get(part, 0.0) * unit)

    def total_energy() -> float:
        return sum(moment.step.energies.values()) * unit

    return [
        Observable("step", lambda: moment.step.number),
        Observable("time_s", lambda: moment.step.time * scales.time),
        Observable("dt_s", lambda: moment.step.size * scales.time),
        Observable("rejected", lambda: moment.step.rejected),
        Observable("newton_iterations", lambda: moment.step.newton_iterations),
        Observable("krylov_iterations", lambda: moment.step.linear_iterations),
        Observable("lithium_mean", lambda: moment.mean),
        Observable("lithium_balance_error", balance_error),
        *(energy(part) for part in ("chemical", "gradient", "elastic")),
        Observable(name_column("energy_total_J", dimension), total_energy),
        Observable("c_min", lambda: -_find_largest(-1.0, problem.c)),
        Observable("c_max", lambda: _find_largest(1.0, problem.c)),
        Observable("von_mises_max_Pa", lambda: 0.0 if stress is None else stress.max_von_mises()),
        Observable("domains", lambda: domains.count(threshold)),
        Observable("wall_s", lambda: clock.monotonic() - started),
    ]


def list_surface_observables(
    problem: ChemoMechanics,
    scales: Scales,
    stress: StressFields | None,
    moment: RecordedStep,
    reference_voltage: float | None,
) -> list[Observable]:
    """List the columns of a particle that exchanges lithium with a reservoir.

    The reference is the voltage against Li/Li+ at mu_res = 0 (V), None where none was stated.
    """
    surface, dimension = problem.surface, problem.domain.mesh.geometry.dim
    reference = math.nan if reference_voltage is None else reference_voltage
    charge = scales.charge(dimension)
    power = scales.energy(dimension) / scales.time
    potential = surface.integrate_over(surface.potential)
    surface_power = surface.integrate_flux(surface.potential)
    dissipation = problem.compile_integral(problem.dissipation())
    shown = (0.0, 0.0) if stress is None else stress.fields[1:3]
    von_mises, hydrostatic = (surface.integrate_over(field) for field in shown)

    def name(column: str) -> str:
        return name_column(column, dimension)

    def capacity() -> float:
        return abs(moment.step.released["c"] - moment.position.released) * charge

    def overpotential() -> float:
        return (potential() / surface.area - surface.level) * scales.voltage

    return [
        Observable("cycle", lambda: moment.position.cycle),
        Observable("stage", lambda: moment.position.stage),
        Observable("mu_res_J_per_mol", lambda: surface.level * scales.chemical_potential),
        Observable("voltage_V", lambda: reference - surface.level * scales.voltage),
        Observable(name("current_A"), lambda: problem.outflow() * charge / scales.time),
        Observable(name("charge_C"), lambda: moment.step.released["c"] * charge),
        Observable(name("capacity_C"), capacity),
        Observable("state_of_charge", lambda: 1.0 - moment.mean),
        Observable("overpotential_V", overpotential),
        Observable("surface_von_mises_mean_Pa", lambda: von_mises() / surface.area),
        Observable("surface_hydrostatic_mean_Pa", lambda: hydrostatic() / surface.area),
        Observable(name("dissipation_W"), lambda: dissipation() * power),
        Observable(name("surface_power_W"), lambda: surface_power() * power),
    ]


def _find_largest(sign: float, field: fem.Function) -> float:
    """Find the largest value at any dof of a field times a sign; collective."""
    space = field.function_space
    owned = sign * field.x.array[: space.dofmap.index_map.size_local]
    return float(space.mesh.comm.allreduce(float(owned.max(initial=-np.inf)), op=MPI.MAX))

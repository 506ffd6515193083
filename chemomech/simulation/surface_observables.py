"""List what a reacting surface tells: voltage, current, charge, stress, powers, in SI units."""

from __future__ import annotations

import math

from chemomech.output.ledger import name_column
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.observables import Observable
from chemomech.problems.stress_fields import StressFields
from chemomech.simulation.observables import RecordedStep
from chemomech.units import Scales


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

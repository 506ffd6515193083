"""What a reacting surface tells: voltage, current, charge, stress, in SI units."""

from __future__ import annotations

import math

from chemomech.output.ledger import ReactionRow
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.observables import StressFields
from chemomech.simulation.stages import Position
from chemomech.solvers.steps import Step
from chemomech.units import Scales


class SurfaceRecorder:
    """Compute the columns of a particle that exchanges lithium with a reservoir.

    Args:
        problem: Problem with a reservoir.
        scales: Factors from the problem's units to SI.
        stress: Fields of the present stress; None without mechanics.
        reference_voltage: Voltage against Li/Li+ at mu_res = 0 (V); None where none was stated.
    """

    def __init__(
        self,
        problem: ChemoMechanics,
        scales: Scales,
        stress: StressFields | None,
        reference_voltage: float | None,
    ) -> None:
        surface = problem.surface
        self._problem = problem
        self._scales = scales
        self._reference = math.nan if reference_voltage is None else reference_voltage
        self._potential = surface.integrate_over(surface.potential)
        self._power = surface.integrate_flux(surface.potential)
        self._dissipation = problem.compile_integral(problem.dissipation())
        by_name = {} if stress is None else {field.name: field for field in stress.fields}
        self._stresses = {
            name: surface.integrate_over(by_name[name])
            for name in ("von_mises", "hydrostatic")
            if name in by_name
        }

    def create_row(self, step: Step, position: Position) -> ReactionRow:
        """Compute the columns of the present state; collective.

        Args:
            step: The step that led here.
            position: Where in the schedule the run is.
        """
        problem, scales, surface = self._problem, self._scales, self._problem.surface
        dimension = problem.domain.mesh.geometry.dim
        charge = scales.charge(dimension)
        power = scales.energy(dimension) / scales.time
        means = {name: mean() / surface.area for name, mean in self._stresses.items()}
        return ReactionRow(
            cycle=position.cycle,
            stage=position.stage,
            mu_res_J_per_mol=surface.level * scales.chemical_potential,
            voltage_V=self._reference - surface.level * scales.voltage,
            current_A=problem.outflow() * charge / scales.time,
            charge_C=step.released * charge,
            capacity_C=abs(step.released - position.released) * charge,
            state_of_charge=1.0 - problem.mean_composition(),
            overpotential_V=(self._potential() / surface.area - surface.level) * scales.voltage,
            surface_von_mises_mean_Pa=means.get("von_mises", 0.0),
            surface_hydrostatic_mean_Pa=means.get("hydrostatic", 0.0),
            dissipation_W=self._dissipation() * power,
            surface_power_W=self._power() * power,
        )

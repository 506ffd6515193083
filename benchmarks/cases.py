"""Bent wires of the demos with other numbers, and what solves them, for the solver's benchmarks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mpi4py import MPI
from scipy import optimize

from chemomech.config import Config, load_config
from chemomech.models.building import create_problem, resolve_preset
from chemomech.models.particle import create_particle
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSettings, NewtonSolver
from chemomech.solvers.presets import Preset
from chemomech.solvers.steps import Memory, StepControl
from chemomech.solvers.time_stepping import Bdf

DEMOS = Path(__file__).parent.parent / "demos"
FILES = {2: DEMOS / "bent_nanowire.toml", 3: DEMOS / "bent_nanowire_3d.toml"}
#: Of the demos: cells, unknowns a node; lengths in nm: width, radius of the bend, leg, thickness.
CELLS = {2: (40, 554), 3: (24, 16, 95)}
FIELDS = {2: 4, 3: 5}
LENGTHS = {2: (100.0, 500.0, 300.0, None), 3: (60.0, 100.0, 40.0, 40.0)}
YOUNG_GPA = 43.0


@dataclass(frozen=True)
class Case:
    """A bent wire of a demo's shape and material, with some of its numbers changed.

    Args:
        dimension: Of space.
        scale: Factor of all lengths of the wire, not of its interfaces.
        chi: Interaction parameter.
        interface_nm: Width of a stress-free interface, which sets kappa.
        cells: Across an interface.
        stiffness: Factor of Young's modulus.
        mobility: Constant, or that of an ideal solution.
        tolerance: Of the time steps; None for the package's default.
        preset: Of the linear solver.
        size_nm: Of the mesh's cells, in place of what follows from the interface; it may be coarse.
        amplitude: Of the initial noise.
    """

    dimension: Literal[2, 3]
    scale: float = 1.0
    chi: float = 2.75
    interface_nm: float = 10.0
    cells: float = 4.0
    stiffness: float = 1.0
    mobility: Literal["degenerate", "constant"] = "degenerate"
    tolerance: float | None = None
    preset: Literal["auto", "direct", "iterative"] = "iterative"
    size_nm: float | None = None
    amplitude: float = 0.01

    @property
    def overrides(self) -> tuple[str, ...]:
        """Changes of the demo's configuration."""
        width, radius, leg, thickness = LENGTHS[self.dimension]
        changes = {
            "geometry.width": f"{self.scale * width} nm",
            "geometry.bend_radius": f"{self.scale * radius} nm",
            "geometry.legs": f"{self.scale * leg} nm",
            "mesh.cells_per_interface": self.cells,
            "material.free_energy.chi": self.chi,
            "material.gradient": f'{{ interface_width = "{self.interface_nm} nm" }}',
            "material.mobility.kind": self.mobility,
            "mechanics.elasticity.young_modulus": f"{self.stiffness * YOUNG_GPA} GPa",
            "initial.amplitude": self.amplitude,
            # The same noise on every mesh.
            "initial.smoothing": f"{self.interface_nm / 4} nm",
            "time.end": "1e9 s",
            "solver.preset": self.preset,
        }
        if thickness is not None:
            changes["geometry.thickness"] = f"{self.scale * thickness} nm"
        if self.tolerance is not None:
            changes["time.tolerance"] = self.tolerance
        if self.size_nm is not None:
            changes["mesh.size"] = f"{self.size_nm} nm"
            changes["mesh.allow_coarse"] = "true"
        return tuple(f"{key}={value}" for key, value in changes.items())

    def load(self, comm: MPI.Comm) -> Config:
        """Read the demo's configuration with these changes (collective)."""
        return load_config(FILES[self.dimension], comm, self.overrides)


def scale_to(unknowns: int, dimension: Literal[2, 3]) -> float:
    """Scale of a wire's lengths that gives about so many unknowns on the demo's cells."""

    def excess(scale: float) -> float:
        nodes = math.prod(scale * cells + 1 for cells in CELLS[dimension])
        return FIELDS[dimension] * nodes - unknowns

    return float(optimize.brentq(excess, 0.0, 100.0))


@dataclass
class Run:
    """A problem with its solvers, to be stepped.

    Args:
        problem: The problem in its present state.
        newton: Its nonlinear solver.
        control: Choice of time steps.
        stepper: Its time stepper.
        preset: Linear solver that was chosen.
        time_scale: Unit of the stepper's time (s).
    """

    problem: ChemoMechanics
    newton: NewtonSolver
    control: StepControl
    stepper: Bdf
    preset: Preset
    time_scale: float

    def branch(self, memory: Memory) -> Bdf:
        """A stepper that goes on from a memory with this run's solver; a copy is the caller's."""
        return Bdf(self.problem, self.newton, self.control, memory)


def create_run(config: Config, comm: MPI.Comm) -> Run:
    """Mesh the particle of a configuration and create all that solves it; collective.

    The same parts as those of a run of the command line, of which the solver is kept at hand.
    """
    problem = create_problem(config, create_particle(config, comm))
    solver, scales = config.solver, config.material.scales
    preset = resolve_preset(config, problem)
    settings = NewtonSettings(
        relative_tolerance=solver.relative_tolerance,
        absolute_tolerance=solver.absolute_tolerance,
        max_iterations=solver.max_newton_iterations,
    )
    newton = NewtonSolver(BlockSystem(problem), preset, settings, solver.petsc)
    control = StepControl(tolerance=config.time.tolerance, newton_share=solver.newton_share)
    stepper = Bdf(problem, newton, control)
    return Run(problem, newton, control, stepper, preset, scales.time)

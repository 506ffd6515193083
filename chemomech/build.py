"""From a configuration to the objects that simulate it; the one place where units are shed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from dolfinx import fem
from petsc4py import PETSc
from scipy.constants import N_A as AVOGADRO
from ufl.core.expr import Expr

from chemomech import config as cfg
from chemomech.errors import InputError
from chemomech.forms.energy import FreeEnergyDensity, Mechanics
from chemomech.geometry.domain import Domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.laws import create_reaction, create_stiffness
from chemomech.materials import elasticity as el
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.free_energy import FreeEnergy, Polynomial, RegularSolution
from chemomech.materials.mobility import ConstantMobility, DegenerateMobility, Mobility
from chemomech.particle import Particle, create_shape
from chemomech.problems import initial_composition as initial
from chemomech.problems.averages import compute_mean
from chemomech.problems.bent_wire import create_bending_strain
from chemomech.problems.chemo_mechanics import ChemoMechanics, Coupling, Discretisation
from chemomech.problems.conditions import (
    Displacement,
    Loads,
    Roller,
    Support,
    Traction,
)
from chemomech.problems.surface import SurfaceReaction
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSettings, NewtonSolver
from chemomech.solvers.presets import Preset, choose_preset
from chemomech.solvers.steps import Memory, StepControl
from chemomech.solvers.time_stepping import Bdf
from chemomech.units import Scales

#: Prefix of the solver's options in PETSc's database.
OPTIONS_PREFIX = "chemomech_"


def create_problem(config: cfg.Config, particle: Particle) -> ChemoMechanics:
    """Create the dimensionless problem in its initial state.

    Args:
        config: The configuration.
        particle: The meshed particle.

    Raises:
        InputError: If a facet group is unknown, or the initial composition cannot be used.
    """
    _check_groups(config, particle.domain)
    scales = config.material.scales
    discretisation = Discretisation(
        config.solver.degree_composition,
        config.solver.degree_displacement,
        None if config.solver.quadrature_degree == "auto" else config.solver.quadrature_degree,
    )
    homogeneous = _create_free_energy(config.material)
    start = _create_initial_composition(config, particle.domain, homogeneous.bounds)
    # The last digits are round-off, and forms with other digits would be compiled anew.
    mean = round(compute_mean(start, particle.domain.mesh), 12)
    energy = FreeEnergyDensity(
        homogeneous,
        config.material.kappa / (scales.chemical_potential * scales.length**2),
        _create_mechanics(config, particle, mean),
    )
    problem = ChemoMechanics(
        particle.domain,
        energy,
        _create_mobility(config.material),
        _create_loads(config, scales),
        discretisation,
        reactions=[
            SurfaceReaction(law.group, create_reaction(law, scales)) for law in config.reaction
        ],
        coupling=_create_coupling(config),
        noise=_count_sites(config, particle.domain),
    )
    problem.c.x.array[:] = start.x.array
    return problem


def _check_groups(config: cfg.Config, domain: Domain) -> None:
    """Refuse unknown facet groups under the key that names them."""
    boundary = () if config.mechanics is None else config.mechanics.boundary
    named = [(f"mechanics.boundary.{i}.group", item.group) for i, item in enumerate(boundary)]
    named += [(f"reaction.{i}.group", item.group) for i, item in enumerate(config.reaction)]
    for key, group in named:
        try:
            domain.tags(group)
        except InputError as error:
            raise InputError(error.message, key=key) from error


def create_stepper(
    config: cfg.Config, problem: ChemoMechanics, memory: Memory | None = None
) -> Bdf:
    """Create the solver and the time stepper, and make the initial state consistent.

    Args:
        config: The configuration.
        problem: The problem in its initial state.
        memory: Of the stepper of an earlier run, to go on from.

    Raises:
        InputError: If PETSc refuses the options of ``[solver.petsc]``.
        ConvergenceError: If the initial state cannot be made consistent.
    """
    try:
        return _create_stepper(config, problem, memory)
    except PETSc.Error as error:
        if not config.solver.petsc:
            raise
        names = ", ".join(config.solver.petsc)
        raise InputError(f"PETSc fails with {names}: {error}", key="solver.petsc") from error


def resolve_preset(config: cfg.Config, problem: ChemoMechanics) -> Preset:
    """Preset of the linear solver, chosen by the size of the problem where it is ``auto``.

    Args:
        config: The configuration.
        problem: The problem.
    """
    if config.solver.preset != "auto":
        return Preset(config.solver.preset)
    return choose_preset(problem.size, problem.domain.mesh.geometry.dim)


def _create_stepper(config: cfg.Config, problem: ChemoMechanics, memory: Memory | None) -> Bdf:
    scales, time = config.material.scales, config.time
    newton = NewtonSolver(
        BlockSystem(problem),
        resolve_preset(config, problem),
        NewtonSettings(
            relative_tolerance=config.solver.relative_tolerance,
            absolute_tolerance=config.solver.absolute_tolerance,
            max_iterations=config.solver.max_newton_iterations,
        ),
        config.solver.petsc,
        OPTIONS_PREFIX,
    )
    control = StepControl(
        tolerance=time.tolerance,
        first_step=None if time.first_step == "auto" else time.first_step / scales.time,
        max_step=(time.max_step or time.end) / scales.time,
        adaptive=time.adaptive,
        newton_share=config.solver.newton_share,
    )
    return Bdf(problem, newton, control, memory)


def _create_free_energy(material: cfg.MaterialConfig) -> FreeEnergy:
    law = material.free_energy
    if isinstance(law, cfg.RegularSolutionConfig):
        return RegularSolution(law.chi)
    return Polynomial(law.coefficients, **({"bounds": law.bounds} if law.bounds else {}))


def _create_mobility(material: cfg.MaterialConfig) -> Mobility:
    # The scale of time is L0^2 / D: in these units the diffusivity is one.
    if material.mobility.kind == "degenerate":
        return DegenerateMobility(1.0)
    return ConstantMobility(1.0)


def _create_mechanics(
    config: cfg.Config, particle: Particle, initial_mean: float
) -> Mechanics | None:
    if config.mechanics is None:
        return None
    eigenstrain = _create_eigenstrain(config, initial_mean)
    law = config.mechanics.elasticity
    dimension = particle.domain.mesh.geometry.dim
    elasticity = el.Elasticity(
        np.asarray(create_stiffness(law) / config.material.scales.stress, dtype=np.float64),
        el.Assumption(config.mechanics.resolve_assumption(dimension)),
        in_wire_frame=getattr(law, "frame", "global") == "wire",
    )
    rotation = None if particle.tangent is None else el.create_wire_rotation(particle.tangent)
    return Mechanics(elasticity, eigenstrain, rotation, _create_prestrain(config, particle.domain))


def _create_prestrain(config: cfg.Config, domain: Domain) -> Expr | None:
    assert config.mechanics is not None
    law = config.mechanics.prestrain
    if law is None:
        return None
    shape = create_shape(config.geometry)
    assert isinstance(shape, Nanowire)
    return create_bending_strain(domain, shape, law.fraction)


def _create_eigenstrain(config: cfg.Config, initial_mean: float) -> Eigenstrain:
    assert config.mechanics is not None
    law = config.mechanics.eigenstrain
    reference = law.reference_composition
    if reference == "mean":
        reference = initial_mean
    if isinstance(law, cfg.VegardConfig):
        expansion = law.partial_molar_volume * config.material.site_concentration / 3
        return Eigenstrain.isotropic(expansion, reference)
    return Eigenstrain(law.tensor, reference, in_wire_frame=law.frame == "wire")


def _create_loads(config: cfg.Config, scales: Scales) -> Loads:
    conditions = () if config.mechanics is None else config.mechanics.boundary
    supports: list[Support] = []
    tractions = []
    for condition in conditions:
        match condition:
            case cfg.ClampedConfig():
                supports.append(Displacement(condition.group, None))
            case cfg.RollerConfig():
                supports.append(Roller(condition.group))
            case cfg.DisplacementConfig():
                value = _scale(condition.value, scales.length)
                supports.append(Displacement(condition.group, value))
            case cfg.TractionConfig():
                tractions.append(Traction(condition.group, _scale(condition.value, scales.stress)))
    return Loads(supports, tractions)


def _create_coupling(config: cfg.Config) -> Coupling:
    if config.mechanics is None:
        return Coupling()
    return Coupling(config.mechanics.stress_in_bulk, config.mechanics.stress_in_reaction)


def _count_sites(config: cfg.Config, domain: Domain) -> float | None:
    """Lithium sites in a unit of the mesh's area or volume, less for a stronger noise."""
    noise, scales = config.noise, config.material.scales
    if noise is None:
        return None
    dimension = domain.mesh.geometry.dim
    if (noise.depth is None) != (dimension == 3):
        what = "is missing; 2-D needs it" if dimension == 2 else "has no meaning in 3-D"
        raise InputError(what, key="noise.depth")
    volume = scales.length**dimension * (noise.depth or 1.0)
    return AVOGADRO * scales.site_concentration * volume / noise.strength**2


def _scale(values: Sequence[float], unit: float) -> tuple[float, ...]:
    return tuple(value / unit for value in values)


def _create_initial_composition(
    config: cfg.Config, domain: Domain, bounds: tuple[float, float]
) -> fem.Function:
    space = fem.functionspace(domain.mesh, ("Lagrange", config.solver.degree_composition))
    start = fem.Function(space)
    _choose_initial(config, domain).apply(start, domain.length_unit, bounds)
    return start


def _choose_initial(config: cfg.Config, domain: Domain) -> initial.InitialComposition:
    law = config.initial
    match law:
        case cfg.UniformConfig():
            return initial.Uniform(law.mean)
        case cfg.NoiseConfig():
            smoothing = law.smoothing
            if smoothing == "auto":
                smoothing = config.mesh_size or domain.quality().h_mean * domain.length_unit
            return initial.Noise(law.mean, law.amplitude, smoothing, law.seed)
        case cfg.FileConfig():
            return initial.FromFile(law.file)
        case cfg.FormulaConfig():
            if not isinstance(config.geometry, cfg.NanowireConfig):
                return initial.Formula(law.formula)
            wire = create_shape(config.geometry)
            assert isinstance(wire, Nanowire)
            return initial.Formula(law.formula, wire.unroll)
        case cfg.MeasuredConfig():
            # Here: other simulations need not wait for all that images take.
            from chemomech.imaging.measurement import read_prepared_composition
            from chemomech.problems.measured_composition import FromMeasurement

            read = partial(read_prepared_composition, law.file, law.smoothing, law.erosion)
            return FromMeasurement(read, law.lithium_at_full, law.margin)

"""Create the dimensionless problem and its stepper from a configuration in SI units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from dolfinx import fem
from petsc4py import PETSc
from scipy.constants import N_A as AVOGADRO
from ufl.core.expr import Expr

from chemomech import config as cfg
from chemomech.config.laws.axes import LocalAxes
from chemomech.config.laws.eigenstrain import SIMULATION
from chemomech.config.laws.numbers import Numbers
from chemomech.errors import InputError, naming
from chemomech.forms.energy import FreeEnergyDensity, Mechanics
from chemomech.geometry.domain import Domain
from chemomech.geometry.formula import Unroll
from chemomech.geometry.measures import compute_mean
from chemomech.geometry.nanowire import Nanowire
from chemomech.materials.elasticity import Assumption
from chemomech.materials.mixed_elasticity import MixedElasticity
from chemomech.materials.scalars import ScalarOrTensor
from chemomech.models.axes import create_local_axes
from chemomech.models.mechanics import create_mechanics
from chemomech.models.particle import Particle, create_shape
from chemomech.problems import initial_composition as initial
from chemomech.problems.bent_wire import create_bending_strain
from chemomech.problems.chemo_mechanics import ChemoMechanics, Coupling
from chemomech.problems.conditions import (
    Displacement,
    Loads,
    Support,
    Traction,
)
from chemomech.problems.diffusion import Discretisation
from chemomech.problems.field_conditions import DirichletCondition
from chemomech.problems.grading import create_factor_by_group, create_factor_by_place
from chemomech.problems.parameters import Parameters
from chemomech.problems.process import Process
from chemomech.problems.rollers import Roller
from chemomech.problems.surface import SurfaceReaction
from chemomech.problems.thermal_noise import NoiseLaw
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSettings, NewtonSolver
from chemomech.solvers.presets import Preset, choose_preset
from chemomech.solvers.steps import Memory, StepControl
from chemomech.solvers.time_stepping import Bdf
from chemomech.units import Scales

#: Prefix of the solver's options in PETSc's database.
_OPTIONS_PREFIX = "chemomech_"


def create_problem(
    config: cfg.Config,
    particle: Particle,
    processes: Sequence[Callable[[ChemoMechanics], Process]] = (),
    conditions: Sequence[DirichletCondition] = (),
) -> ChemoMechanics:
    """Create the dimensionless problem in its initial state.

    Args:
        config: The configuration.
        particle: The meshed particle.
        processes: Makers of further processes, each given the problem.
        conditions: Values at which fields are held on facet groups, in the problem's units.

    Raises:
        InputError: If a facet group is unknown, or the initial composition cannot be used.
    """
    scales, domain = config.material.scales, particle.domain
    _check_groups(config, domain)
    parameters = Parameters(domain.mesh, _create_factors(config, domain))
    discretisation = Discretisation(
        config.solver.degree_composition,
        config.solver.degree_displacement,
        None if config.solver.quadrature_degree == "auto" else config.solver.quadrature_degree,
    )
    law, mobility = config.material.free_energy, config.material.mobility
    homogeneous = law.create(
        Numbers(law, "material.free_energy", parameters), config.material.temperature
    )
    start = _create_initial_composition(config, domain, homogeneous.bounds)
    mean = compute_mean(start, domain.mesh, domain.dx(discretisation.chemical_quadrature))
    axes = _create_axes(config, particle, parameters)
    energy = FreeEnergyDensity(
        homogeneous,
        _create_gradient(config, parameters, axes),
        _create_mechanics(config, particle, mean, parameters, axes),
    )
    problem = ChemoMechanics(
        domain,
        energy,
        # The scale of time is L0^2 / D: in these units the diffusivity is one at first.
        mobility.create(
            Numbers(mobility, "material.mobility", parameters), scales.diffusivity, axes
        ),
        _create_loads(config, scales),
        discretisation,
        reactions=_create_reactions(config, parameters),
        coupling=_create_coupling(config),
        noise=_create_noise(config, domain, parameters),
        parameters=parameters,
        processes=processes,
        conditions=conditions,
    )
    _check_grading(config, parameters)
    problem.c.x.array[:] = start.x.array
    return problem


def _create_gradient(config: cfg.Config, parameters: Parameters, axes: LocalAxes) -> ScalarOrTensor:
    material, scales = config.material, config.material.scales
    return material.gradient.create(
        Numbers(material.gradient, "material.gradient", parameters),
        material.kappa,
        scales.chemical_potential * scales.length**2,
        axes,
    )


def _create_reactions(config: cfg.Config, parameters: Parameters) -> list[SurfaceReaction]:
    scales = config.material.scales
    return [
        SurfaceReaction(
            reaction.group, reaction.create(Numbers(reaction, f"reaction.{i}", parameters), scales)
        )
        for i, reaction in enumerate(config.reaction)
    ]


def _create_factors(config: cfg.Config, domain: Domain) -> dict[str, fem.Function]:
    """Factor of each graded parameter, one value a cell."""
    unroll = _find_unroll(config)
    factors = {}
    for index, grading in enumerate(config.grading):
        with naming(key=f"grading.{index}.{'cells' if grading.formula is None else 'formula'}"):
            factors[grading.parameter] = (
                create_factor_by_place(grading.formula, domain, unroll)
                if grading.formula is not None
                else create_factor_by_group(grading.cells or {}, domain)
            )
    return factors


def _check_grading(config: cfg.Config, parameters: Parameters) -> None:
    """Refuse to grade what is no parameter."""
    for index, grading in enumerate(config.grading):
        try:
            parameters.describe(grading.parameter)
        except InputError as error:
            raise InputError(
                f"{grading.parameter!r} is {error.message}", key=f"grading.{index}.parameter"
            ) from error


def _check_groups(config: cfg.Config, domain: Domain) -> None:
    """Refuse unknown facet groups under the key that names them."""
    boundary = () if config.mechanics is None else config.mechanics.boundary
    named = [(f"mechanics.boundary.{i}.group", item.group) for i, item in enumerate(boundary)]
    named += [(f"reaction.{i}.group", item.group) for i, item in enumerate(config.reaction)]
    for key, group in named:
        with naming(key=key):
            domain.tags(group)


def create_stepper(
    config: cfg.Config, problem: ChemoMechanics, memory: Memory | None = None
) -> Bdf:
    """Create the solver and the time stepper, and make the initial state consistent.

    ``memory`` is that of the stepper of an earlier run, to go on from.

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
    """Return the linear solver's preset, chosen by the problem's size where it is ``auto``."""
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
        _OPTIONS_PREFIX,
    )
    control = StepControl(
        tolerance=time.tolerance,
        first_step=None if time.first_step == "auto" else time.first_step / scales.time,
        max_step=(time.max_step or time.end) / scales.time,
        adaptive=time.adaptive,
        newton_share=config.solver.newton_share,
    )
    return Bdf(problem, newton, control, memory)


def _create_axes(config: cfg.Config, particle: Particle, parameters: Parameters) -> LocalAxes:
    """Create the axes that laws refer to."""
    return create_local_axes(
        config.crystal,
        particle.domain,
        particle.tangent,
        parameters,
        _find_unroll(config),
        is_sheet=config.mechanics is not None and config.mechanics.assumption == "plane_stress",
    )


def _find_unroll(config: cfg.Config) -> Unroll | None:
    """Find what gives places along and across a wire, None for other shapes."""
    if not isinstance(config.geometry, cfg.NanowireConfig):
        return None
    wire = create_shape(config.geometry)
    assert isinstance(wire, Nanowire)
    return wire.unroll


def _create_mechanics(
    config: cfg.Config,
    particle: Particle,
    initial_mean: float,
    parameters: Parameters,
    axes: LocalAxes,
) -> Mechanics | None:
    if config.mechanics is None:
        return None
    domain, scales = particle.domain, config.material.scales
    assumption = config.mechanics.resolve_assumption(domain.mesh.geometry.dim)
    mechanics = create_mechanics(
        config.mechanics,
        "mechanics.",
        parameters,
        axes,
        Assumption(assumption),
        scales.stress,
        replace(SIMULATION, mean=initial_mean, concentration=scales.site_concentration),
    )
    if isinstance(law := mechanics.elasticity, MixedElasticity):
        numbers = Numbers(config.mechanics.elasticity, "mechanics.elasticity", parameters)
        check = partial(law.require_stability, *config.composition_bounds)
        numbers.add_check(check, "compositions")
    return replace(mechanics, prestrain=_create_prestrain(config, domain, parameters))


def _create_prestrain(config: cfg.Config, domain: Domain, parameters: Parameters) -> Expr | None:
    assert config.mechanics is not None
    law = config.mechanics.prestrain
    if law is None:
        return None
    shape = create_shape(config.geometry)
    assert isinstance(shape, Nanowire)
    fraction = Numbers(law, "mechanics.prestrain", parameters).add("fraction")
    return create_bending_strain(domain, shape, fraction)


def _create_loads(config: cfg.Config, scales: Scales) -> Loads:
    conditions = () if config.mechanics is None else config.mechanics.boundary
    supports: list[Support] = []
    tractions = []
    for index, condition in enumerate(conditions):
        match condition:
            case cfg.ClampedConfig():
                supports.append(Displacement(condition.group, None))
            case cfg.RollerConfig():
                key = f"mechanics.boundary.{index}"
                supports.append(Roller(condition.group, condition.value / scales.length, key))
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


def _create_noise(config: cfg.Config, domain: Domain, parameters: Parameters) -> NoiseLaw | None:
    noise, scales = config.noise, config.material.scales
    if noise is None:
        return None
    dimension = domain.mesh.geometry.dim
    noise.check_depth(dimension)
    volume = scales.length**dimension * (noise.depth or 1.0)
    sites = AVOGADRO * scales.site_concentration * volume
    return NoiseLaw(sites, Numbers(noise, "noise", parameters).add("strength"))


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
            return initial.Formula(law.formula, _find_unroll(config))
        case cfg.MeasuredConfig():
            # Here: other simulations need not wait for all that images take.
            from chemomech.imaging.measurement import read_prepared_composition

            read = partial(read_prepared_composition, law.file, law.smoothing, law.erosion)
            return initial.FromMeasurement(read, law.lithium_at_full, law.margin)

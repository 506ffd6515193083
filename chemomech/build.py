"""From a configuration to the objects that simulate it; the one place where units are shed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import ufl
from dolfinx import fem
from mpi4py import MPI

from chemomech import config as cfg
from chemomech.errors import InputError
from chemomech.forms.energy import FreeEnergyDensity, Mechanics
from chemomech.geometry.box import Box
from chemomech.geometry.domain import Domain
from chemomech.geometry.frame import create_wire_tangent
from chemomech.geometry.meshing import create_domain, read_domain
from chemomech.geometry.nanowire import Nanowire
from chemomech.geometry.outline import Outline
from chemomech.geometry.outline_files import read_outline_geojson, read_outline_image
from chemomech.materials import elasticity as el
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.free_energy import FreeEnergy, Polynomial, RegularSolution
from chemomech.materials.mobility import ConstantMobility, DegenerateMobility, Mobility
from chemomech.problems import initial_composition as initial
from chemomech.problems.chemo_mechanics import ChemoMechanics, Discretisation, Loads
from chemomech.problems.conditions import Displacement, LithiumFlux, Roller, Support, Traction
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.newton import NewtonSettings, NewtonSolver
from chemomech.solvers.preconditioners import Preset
from chemomech.solvers.time_stepping import Bdf2, StepControl
from chemomech.units import Scales

Shape = Nanowire | Box | Outline


@dataclass(frozen=True)
class Particle:
    """A meshed particle.

    Args:
        domain: Mesh and facet groups.
        tangent: Unit vector along the wire in each cell; None where the shape has no such thing.
    """

    domain: Domain
    tangent: fem.Function | None


def create_particle(config: cfg.Config, comm: MPI.Comm) -> Particle:
    """Create or read the mesh, and the wire's frame where one is meant.

    Args:
        config: The configuration.
        comm: Ranks that share the mesh.

    Raises:
        InputError: If the shape cannot be made or read, or its mesh is too coarse.
    """
    shape = create_shape(config.geometry)
    if shape is None:
        assert isinstance(config.geometry, cfg.MeshFileConfig)
        domain = read_domain(config.geometry.file, comm, config.geometry.unit)
        _check_resolution(config, domain)
    else:
        assert config.mesh_size is not None
        domain = create_domain(shape, config.mesh_size, comm, config.mesh.cell)
    wanted = isinstance(shape, Nanowire | Outline) or _needs_wire_frame(config)
    tangent = create_wire_tangent(domain, shape) if wanted else None
    return Particle(domain, tangent)


def create_shape(geometry: cfg.GeometryConfig) -> Shape | None:
    """Create the shape of a ``[geometry]`` table, in metres; None for a mesh file."""
    match geometry:
        case cfg.NanowireConfig():
            return Nanowire(
                width=geometry.width,
                bend_radius=geometry.bend_radius,
                bend_angle=geometry.bend_angle,
                legs=geometry.legs,
                thickness=geometry.thickness,
            )
        case cfg.BoxConfig():
            return Box(geometry.size)
        case cfg.OutlineConfig() if geometry.is_image:
            assert geometry.pixel_size is not None
            return read_outline_image(
                geometry.file,
                geometry.pixel_size,
                geometry.level,
                geometry.region,
                geometry.particle,
            )
        case cfg.OutlineConfig():
            assert geometry.unit is not None
            return read_outline_geojson(geometry.file, geometry.unit, geometry.particle)
    return None


def create_problem(config: cfg.Config, particle: Particle) -> ChemoMechanics:
    """Create the dimensionless problem in its initial state.

    Args:
        config: The configuration.
        particle: The meshed particle.

    Raises:
        InputError: If a facet group is unknown, or the initial composition cannot be used.
    """
    scales = config.material.scales
    discretisation = Discretisation(
        config.solver.degree_composition,
        config.solver.degree_displacement,
        config.solver.quadrature_degree,
    )
    homogeneous = _create_free_energy(config.material)
    start = _create_initial_composition(config, particle.domain, homogeneous.bounds)
    energy = FreeEnergyDensity(
        homogeneous,
        config.material.kappa / (scales.chemical_potential * scales.length**2),
        _create_mechanics(config, particle, _mean(start)),
    )
    problem = ChemoMechanics(
        particle.domain,
        energy,
        _create_mobility(config.material),
        _create_loads(config, scales),
        discretisation,
    )
    problem.c.x.array[:] = start.x.array
    return problem


def create_stepper(config: cfg.Config, problem: ChemoMechanics) -> Bdf2:
    """Create the solver and the time stepper, and make the initial state consistent.

    Raises:
        ConvergenceError: If that fails.
    """
    scales, time = config.material.scales, config.time
    newton = NewtonSolver(
        BlockSystem(problem),
        Preset(config.solver.preset),
        NewtonSettings(
            config.solver.relative_tolerance,
            config.solver.absolute_tolerance,
            config.solver.max_newton_iterations,
        ),
        config.solver.petsc,
    )
    control = StepControl(
        tolerance=time.tolerance,
        first_step=None if time.first_step == "auto" else time.first_step / scales.time,
        max_step=(time.max_step or time.end) / scales.time,
        adaptive=time.adaptive,
    )
    return Bdf2(problem, newton, control)


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
        _create_stiffness(law) / config.material.scales.stress,
        el.Assumption(config.mechanics.resolve_assumption(dimension)),
        in_wire_frame=getattr(law, "frame", "global") == "wire",
    )
    rotation = None if particle.tangent is None else el.create_wire_rotation(particle.tangent)
    return Mechanics(elasticity, eigenstrain, rotation)


def _create_stiffness(law: cfg.IsotropicConfig | cfg.CubicConfig | cfg.OrthotropicConfig) -> el.Matrix:
    match law:
        case cfg.IsotropicConfig():
            return el.create_isotropic_stiffness(law.young_modulus, law.poisson_ratio)
        case cfg.CubicConfig():
            return el.create_cubic_stiffness(law.c11, law.c12, law.c44)
        case cfg.OrthotropicConfig():
            return el.create_orthotropic_stiffness(
                law.young_moduli, law.poisson_ratios, law.shear_moduli
            )


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
                supports.append(Displacement(condition.group, _scale(condition.value, scales.length)))
            case cfg.TractionConfig():
                tractions.append(Traction(condition.group, _scale(condition.value, scales.stress)))
    concentration = config.material.site_concentration
    fluxes = [
        LithiumFlux(flux.group, flux.value.velocity(concentration) / scales.velocity)
        for flux in config.flux
    ]
    return Loads(supports, tractions, fluxes)


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
            return initial.Formula(law.formula)


def _mean(c: fem.Function) -> float:
    mesh = c.function_space.mesh
    one = fem.Constant(mesh, 1.0)
    forms = [fem.form(integrand * ufl.dx(mesh)) for integrand in (c, one)]
    total, volume = (mesh.comm.allreduce(fem.assemble_scalar(form)) for form in forms)
    return float(total / volume)


def _needs_wire_frame(config: cfg.Config) -> bool:
    if config.mechanics is None:
        return False
    laws = (config.mechanics.elasticity, config.mechanics.eigenstrain)
    return any(getattr(law, "frame", "global") == "wire" for law in laws)


def _check_resolution(config: cfg.Config, domain: Domain) -> None:
    """Refuse a mesh from a file that does not resolve the interface."""
    width = config.material.interface_width
    if width is None or config.mesh.allow_coarse:
        return
    # The diameter of a cell is the diagonal of a square: its edge is what must be small.
    edge = domain.quality().h_max / 2**0.5 * domain.length_unit
    needed = width / config.mesh.cells_per_interface
    if edge > needed:
        raise InputError(
            f"cells of about {edge:.3g} m are too coarse for an interface {width:.3g} m wide: at "
            f"most {needed:.3g} m, or set mesh.allow_coarse = true",
            key="geometry.file",
        )

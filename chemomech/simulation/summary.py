"""Summarise a configuration: dimensionless groups, phases, mesh and size of the problem."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from chemomech import config as cfg
from chemomech.config.laws.elasticity import MixtureConfig
from chemomech.config.laws.free_energy import RegularSolutionConfig
from chemomech.geometry.domain import MeshQuality
from chemomech.machine import find_memory
from chemomech.materials import phase_diagram as pd
from chemomech.models.building import resolve_preset
from chemomech.models.estimate import STEPS, Size, format_time
from chemomech.models.particle import count_cells_across
from chemomech.output.terminal import render_figures
from chemomech.problems.chemo_mechanics import ChemoMechanics

Rows = list[tuple[str, str]]


def summarise(config: cfg.Config, problem: ChemoMechanics) -> str:
    """Describe a problem in its initial state as a table in text; collective."""
    quality = problem.domain.quality()
    mean = problem.mean_composition()
    sections = {
        "Dimensionless groups": _describe_groups(config, problem),
        "Phases": _describe_phases(config, problem, mean),
        "Surface": _describe_surface(config, problem),
        "Mesh": _describe_mesh(config, problem, quality),
        "Solution": _describe_solution(config, problem, quality),
    }
    return render_figures(sections)


@dataclass(frozen=True)
class _Elasticity:
    """Elastic numbers of an isotropic material, None where there is no such number."""

    stiffness: float
    expansion: float
    shift: float


def _find_elasticity(config: cfg.Config, dimension: int) -> _Elasticity | None:
    mechanics, material = config.mechanics, config.material
    if mechanics is None:
        return None
    constants = mechanics.elasticity.isotropic_constants
    expansion = mechanics.eigenstrain.find_expansion(material.site_concentration)
    if constants is None or expansion is None:
        return None
    young, poisson = constants
    stiffness = young / material.scales.stress
    plane_stress = mechanics.resolve_assumption(dimension) == "plane_stress"
    shift = pd.coherent_shift(stiffness, poisson, expansion, plane_stress=plane_stress)
    return _Elasticity(stiffness, expansion, shift)


def _find_obstacle(mechanics: cfg.MechanicsConfig) -> str:
    """Say why a solid has no two elastic constants, or no single expansion."""
    if isinstance(mechanics.elasticity, MixtureConfig):
        return "nonlinear"
    if mechanics.elasticity.isotropic_constants is None or mechanics.eigenstrain.is_linear:
        return "anisotropic"
    return "nonlinear"


def _describe_groups(config: cfg.Config, problem: ChemoMechanics) -> Rows:
    material = config.material
    dimension = problem.domain.mesh.geometry.dim
    length = math.sqrt(material.kappa / material.scales.chemical_potential)
    rows = material.free_energy.describe(material.temperature) + material.mobility.describe()
    rows.append(("l = sqrt(kappa / RT)", _nanometres(length)))
    if config.mechanics is None:
        return [*rows, ("mechanics", "none")]
    reach = config.mechanics.eigenstrain.reach
    if reach is not None and not reach[0] <= 0.0 < 1.0 <= reach[1]:
        entries = f"entries from c = {reach[0]:g} to {reach[1]:g}"
        rows.append(("eigenstrain", f"{entries}; goes on straight beyond"))
    if config.bending_strain is not None:
        rows.append(("bending strain at the edges", f"{config.bending_strain:.2%}"))
    assumption = config.mechanics.resolve_assumption(dimension).replace("_", " ")
    elastic = _find_elasticity(config, dimension)
    if elastic is None:
        note = (
            f"{assumption}; {_find_obstacle(config.mechanics)}: no E, eta and chi_eff are computed"
        )
        return [*rows, ("mechanics", note)]
    rows += [
        ("mechanics", assumption),
        ("eta = Omega C / 3", f"{elastic.expansion:.4g}"),
        ("E / (RT C)", f"{elastic.stiffness:.4g}"),
        ("E eta^2 / (RT C)", f"{elastic.stiffness * elastic.expansion**2:.4g}"),
    ]
    if isinstance(material.free_energy, RegularSolutionConfig):
        chi = material.free_energy.chi - elastic.shift
        rows.append(("chi_eff (coherent waves)", f"{chi:.4f}"))
    return rows


def _describe_phases(config: cfg.Config, problem: ChemoMechanics, mean: float) -> Rows:
    material = config.material
    rows = [("mean composition", f"{mean:.6g}")]
    windows = [f"{p.name} ({p.lower:.4g} to {p.upper:.4g})" for p in material.named_phases]
    if windows:
        rows.append(("phases and their c", ", ".join(windows)))
    rows += _describe_diagram("stress-free", material.phases, config, mean)
    pairs = _name_pairs(material)
    for name, pair in pairs:
        rows += _describe_plateau(name, pair, config)
    elastic = _find_elasticity(config, problem.domain.mesh.geometry.dim)
    if elastic is not None and elastic.shift > 0.0:
        coherent = pd.find_phases(material.homogeneous_energy, elastic.shift)
        rows += _describe_diagram("coherent", coherent, config, mean)
        rows += [_describe_misfit(*named, coherent, elastic.shift) for named in pairs]
    elif config.mechanics is not None and elastic is None:
        rows.append(("coherent", f"not computed for {_find_obstacle(config.mechanics)} mechanics"))
    return rows


def _describe_diagram(state: str, phases: pd.PhaseDiagram, config: cfg.Config, mean: float) -> Rows:
    """Describe phases, interfaces and the fastest wave."""
    if not phases.has_phase_separation:
        return [(state, "one phase: no two compositions are in equilibrium")]
    scales, material = config.material.scales, config.material
    gradient = material.kappa / scales.chemical_potential
    # Once where all directions are alike.
    factors = dict.fromkeys(material.width_factors)
    rows = []
    for pair in phases.coexistences:
        width = 1e9 * pair.interface_width(gradient)
        energy = 1e3 * pair.interfacial_energy(gradient) * scales.energy_density
        rows += [
            (f"binodal, {state}", f"c = {pair.poor:.4f} and {pair.rich:.4f}"),
            (f"interface width, {state}", f"{_list(width, factors)} nm"),
            (f"interface energy, {state}", f"{_list(energy, factors)} mJ/m^2"),
        ]
    edges = "; ".join(f"{low:.4f} < c < {high:.4f}" for low, high in phases.spinodals)
    rows.append((f"spinodal, {state}", edges))
    if not any(low < mean < high for low, high in phases.spinodals):
        return [*rows, (f"fastest wave, {state}", "none: small waves decay at this mean")]
    if len(factors) > 1 or material.mobility.anisotropy is not None:
        return [*rows, (f"fastest wave, {state}", "depends on the direction")]
    mode = phases.fastest_mode(mean, gradient, material.mobility.evaluate(mean))
    wave = f"{_nanometres(mode.wavelength)}, grows by e in {1.0 / mode.rate:.3g} s"
    return [*rows, (f"fastest wave, {state}", wave)]


def _name_pairs(material: cfg.MaterialConfig) -> list[tuple[str, pd.Coexistence]]:
    """Name both phases of each pair, by their compositions where they have no names."""
    named, pairs = material.named_phases, material.phases.coexistences
    if not named:
        return [(f"c = {pair.poor:.4f} and {pair.rich:.4f}", pair) for pair in pairs]
    names = [f"{poor.name} and {rich.name}" for poor, rich in pairwise(named)]
    return list(zip(names, pairs, strict=True))


def _describe_plateau(name: str, pair: pd.Coexistence, config: cfg.Config) -> Rows:
    """Describe the plateau of two phases, and a homogeneous particle's deviation from it."""
    unit, schedule = config.material.scales.voltage, config.schedule
    if schedule is None or schedule.reference_voltage is None:
        place = f"mu = {round(pair.potential, 6) + 0.0:.4g} RT"
    else:
        place = f"{schedule.reference_voltage - unit * pair.potential:.4f} V"
    if config.material.named_phases:
        place = f"{place}, {name}"
    low, high = (1e3 * unit * (pair.potential - mu) for mu in reversed(pair.loop))
    return [
        ("plateau, stress-free", place),
        ("homogeneous particle", f"{low:+.2f} to {high:+.2f} mV about the plateau"),
    ]


def _describe_misfit(
    name: str, pair: pd.Coexistence, coherent: pd.PhaseDiagram, shift: float
) -> tuple[str, str]:
    """Say what it costs that two phases fit, and whether they separate all the same."""
    cost, barrier = pair.coherent_cost(shift), pair.barrier
    parted = "can" if coherent.is_unstable_between(pair) else "cannot"
    return (
        f"misfit of {name}",
        f"{cost:.3g} RT C, barrier {barrier:.3g} RT C: {parted} separate coherently",
    )


def _describe_surface(config: cfg.Config, problem: ChemoMechanics) -> Rows:
    """Describe the reactions at the surface and their drives."""
    if not config.reaction:
        return [("reactions", "none: the particle is closed")]
    rows = [(f"reaction of {law.group}", law.kind.replace("_", " ")) for law in config.reaction]
    schedule, scales = config.schedule, config.material.scales
    if schedule is None:
        return rows
    dimension = problem.domain.mesh.geometry.dim
    unit = "A/m" if dimension == 2 else "A"
    current = problem.volume * scales.charge(dimension) / 3600.0
    depth = problem.volume / problem.surface.area * problem.domain.length_unit
    steps = ", ".join(step.kind for step in schedule.step)
    return [
        *rows,
        ("volume behind the reacting surface", f"{_nanometres(depth)} deep"),
        ("current at 1C", f"{current:.4g} {unit}"),
        ("schedule", f"{schedule.cycles} x ({steps})"),
    ]


def _describe_mesh(config: cfg.Config, problem: ChemoMechanics, quality: MeshQuality) -> Rows:
    name = problem.domain.mesh.topology.cell_name()
    rows = [
        ("cells", f"{quality.cells} ({name})"),
        ("vertices", f"{quality.vertices}"),
        (
            "cell diameter",
            f"{quality.h_min:.3g} to {quality.h_max:.3g} nm, mean {quality.h_mean:.3g} nm",
        ),
        ("worst shape", f"{quality.worst_shape:.2f} (1: regular, 0: degenerate)"),
        ("facet groups", ", ".join(sorted(problem.domain.groups))),
    ]
    if problem.domain.cell_groups:
        rows.append(("cell groups", ", ".join(sorted(problem.domain.cell_groups))))
    cells = count_cells_across(config, problem.domain)
    if cells is not None:
        rows.insert(2, ("cells across an interface", f"{cells:.1f} (the largest cells)"))
    return rows


def _describe_solution(config: cfg.Config, problem: ChemoMechanics, quality: MeshQuality) -> Rows:
    preset = resolve_preset(config, problem)
    mesh = problem.domain.mesh
    size = Size(mesh.topology.cell_name(), quality.cells, quality.vertices, problem.size)
    ranks = mesh.comm.size
    memory = f"about {size.estimate_memory(preset, ranks) / 1e9:.2g} GB on {ranks} rank(s), rough"
    time = f"about {format_time(size.estimate_time(ranks))} for {STEPS} steps, rough"
    scales = config.material.scales
    return [
        ("degrees of freedom", f"{problem.size}"),
        ("linear solver", preset.value),
        ("memory", f"{memory}; there are {find_memory(mesh.comm) / 1e9:.2g} GB"),
        ("time", time),
        ("unit of time L0^2 / D, L0 = 1 nm", f"{scales.time:.3g} s"),
        ("end of the run", f"{config.time.end:g} s, {len(config.snapshot_times)} snapshots"),
    ]


def _list(value: float, factors: Iterable[float]) -> str:
    """Write the values by direction."""
    return " to ".join(f"{factor * value:.4g}" for factor in factors)


def _nanometres(length: float) -> str:
    return f"{length * 1e9:.4g} nm"

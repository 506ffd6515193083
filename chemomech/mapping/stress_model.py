"""The static stress of a particle whose composition may be exchanged."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

from chemomech import config as cfg
from chemomech.config.laws.eigenstrain import STRESS_MAP
from chemomech.errors import ConvergenceError, InputError, naming
from chemomech.geometry.domain import MESH_LENGTH_UNIT, Domain
from chemomech.geometry.extrusion import create_extruded_domain
from chemomech.geometry.files.fields import create_field_from_file
from chemomech.geometry.frame import (
    create_end_distance,
    create_wire_tangent,
    require_clear_ends,
)
from chemomech.geometry.measures import compute_mean
from chemomech.geometry.meshing import create_domain
from chemomech.imaging.composition import prepare
from chemomech.imaging.composition_map import CompositionMap
from chemomech.mapping.stress_source import ImagedParticle
from chemomech.materials.elasticity import Assumption
from chemomech.materials.mixed_elasticity import MixedElasticity
from chemomech.models.axes import create_local_axes
from chemomech.models.mechanics import create_mechanics
from chemomech.problems.conditions import Loads
from chemomech.problems.parameters import Parameters
from chemomech.problems.rollers import Roller
from chemomech.problems.static_stress import StaticStress
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.failures import describe_linear
from chemomech.solvers.newton import NewtonSolver
from chemomech.solvers.presets import Preset

STRESS_UNIT = 1e9
"""Unit of stress of the equations, in Pa: displacements then come out in nm of order one."""

_SIDES = ("border_left", "border_right", "border_bottom", "border_top")


class StressModel:
    """Equilibrium of a particle under the eigenstrain of its composition (eqns 9-11).

    A stiffness that does not depend on the composition, which is lithium content x, continuous and
    of degree 1, is factorised once, and each further composition costs one substitution. The
    tangent is the unit vector along the wire in each cell.
    """

    def __init__(
        self,
        config: cfg.StressConfig,
        domain: Domain,
        tangent: fem.Function,
        composition: fem.Function,
    ) -> None:
        self.domain, self.tangent, self.composition = domain, tangent, composition
        assumption = (
            Assumption.THREE_DIMENSIONAL
            if domain.mesh.geometry.dim == 3
            else Assumption(config.assumption)
        )
        use = replace(STRESS_MAP, mean=compute_mean(composition, domain.mesh, domain.dx(2)))
        parameters = Parameters(domain.mesh)
        axes = create_local_axes(config.crystal, domain, tangent, parameters)
        mechanics = create_mechanics(config, "", parameters, axes, assumption, STRESS_UNIT, use)
        loads = _create_loads(config, domain)
        self.problem = StaticStress(
            domain, mechanics, composition, loads, config.mesh.degree, parameters
        )
        self.problem.u.name = "displacement"
        preset = Preset.ITERATIVE if domain.mesh.geometry.dim == 3 else Preset.DIRECT
        self._solver = NewtonSolver(BlockSystem(self.problem), preset, prefix="chemomech_stress_")

    def find_tips(self, widths: float) -> NDArray[np.bool_] | None:
        """Mark the cells of this rank nearer to the wire's ends than so many widths; collective.

        Zero widths find none: None.
        """
        if widths == 0.0:
            return None
        distance = create_end_distance(self.domain)
        cells = self.domain.mesh.topology.index_map(self.domain.mesh.topology.dim).size_local
        dofs = distance.function_space.dofmap.list[:cells, 0]
        near = np.asarray(distance.x.array[dofs] < widths)
        if self.domain.mesh.comm.allreduce(int((~near).sum())) == 0:
            raise InputError(
                f"no part of the particle is {widths:g} widths away from its ends",
                key="statistics.tip_widths",
            )
        return near

    def solve(self) -> None:
        """Find the displacement for the composition's present values; collective.

        Raises:
            InputError: The stiffness of a mixture is no stable solid's at one of them.
            ConvergenceError: The linear solver fails.
        """
        if isinstance(law := self.problem.solid.mechanics.elasticity, MixedElasticity):
            values, comm = self.composition.x.array, self.domain.mesh.comm
            lowest = comm.allreduce(values.min(initial=math.inf), op=MPI.MIN)
            highest = comm.allreduce(values.max(initial=-math.inf), op=MPI.MAX)
            with naming(key="elasticity.compositions"):
                law.require_stability(lowest, highest)
        result = self._solver.solve()
        if not result.converged:
            raise ConvergenceError(
                f"the linear solver of the stress {describe_linear(result.linear_reason)}; look at "
                "the mesh's quality",
                reason=result.reason,
            )

    def close(self) -> None:
        """Free what the solver holds; the solution stays. Collective."""
        self._solver.close()


def create_model(
    config: cfg.StressConfig, particle: ImagedParticle | None, comm: MPI.Comm
) -> StressModel:
    """Mesh a particle and put its composition on the mesh; collective.

    Without a particle of an image it is the field of a simulation the configuration names.

    Raises:
        InputError: The particle cannot be meshed, the field not be read, a law not be made, or a
            law in the wire's axes has no two clear ends to go by.
    """
    if particle is None:
        assert isinstance(config.composition, cfg.FieldCompositionConfig)
        domain, composition = _read_field(config.composition, comm)
    else:
        domain = _create_domain(config, particle, comm)
        composition = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
        interpolate_map(particle.composition, config, composition)
    composition.name = "composition"
    if _has_law_along_wire(config):
        require_clear_ends(domain)
    return StressModel(config, domain, create_wire_tangent(domain), composition)


def _has_law_along_wire(config: cfg.StressConfig) -> bool:
    """Tell if the axes of a law are those of the wire."""
    return "wire" in config.frames.values()


def _read_field(source: cfg.FieldCompositionConfig, comm: MPI.Comm) -> tuple[Domain, fem.Function]:
    field = create_field_from_file(source.file, source.name, comm, source.unit, source.time)
    if field.function.ufl_shape:
        raise InputError(
            f"{source.name!r} is a vector or a tensor; a composition is one number a point",
            key="composition.name",
        )
    field.function.x.array[:] *= source.scale
    return field.domain, field.function


def _create_domain(config: cfg.StressConfig, particle: ImagedParticle, comm: MPI.Comm) -> Domain:
    size = config.mesh.size or particle.composition.grid.pixel_size / 2
    thickness = config.mesh.thickness
    if thickness is None:
        return create_domain(particle.outline, size, comm)
    if thickness != "measured":
        return create_extruded_domain(particle.outline, size, thickness, config.mesh.layers, comm)
    if particle.thickness is None:
        raise InputError("no thickness was measured; state one", key="mesh.thickness")
    heights = CompositionMap(
        particle.composition.grid,
        particle.thickness,
        np.zeros_like(particle.thickness),
        particle.composition.trusted,
    )
    extended = _smooth_and_extend(heights, config)
    return create_extruded_domain(particle.outline, size, extended.sample, config.mesh.layers, comm)


def interpolate_map(
    composition: CompositionMap, config: cfg.StressConfig, on: fem.Function
) -> None:
    """Smooth a map, extend it beyond the trusted pixels and interpolate it at a mesh's vertices.

    ``on`` is a function of degree 1 to change; its mesh has nanometres and the map's origin.
    """
    prepared = _smooth_and_extend(composition, config)
    unit = MESH_LENGTH_UNIT
    on.interpolate(lambda x: prepared.sample(x[:2].T * unit))


def _smooth_and_extend(composition: CompositionMap, config: cfg.StressConfig) -> CompositionMap:
    """Smooth a map within its trusted pixels, then extend it beyond them."""
    treatment = config.treatment
    with naming(key="treatment"):
        return prepare(composition, smoothing=treatment.smoothing, erosion=treatment.erosion)


def _create_loads(config: cfg.StressConfig, domain: Domain) -> Loads:
    if config.boundary == "free":
        return Loads()
    sides = [side for side in _SIDES if side in domain.groups]
    if not sides:
        raise InputError(
            "rollers act where a wire leaves the image, but this outline touches no border; "
            "use free",
            key="boundary",
        )
    return Loads([Roller(side, key="boundary") for side in sides])

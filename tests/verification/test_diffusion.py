"""Without interaction, gradient energy and mechanics the model is Fick's law (eqn 21 over RT)."""

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI
from scipy.special import j0, jn_zeros

from chemomech.forms.energy import FreeEnergyDensity
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.geometry.outline import Outline
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import DegenerateMobility
from chemomech.materials.reactions import ConstantFlux
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.surface import SurfaceReaction
from chemomech.solvers.steps import StepControl

# Half width or radius 50 nm, D = 1e-15 m2/s, J = 1e-10 m/s inwards, 0.5 s, in nm and nm^2 / D.
SIZE, INFLOW, TIME, START = 50.0, 1e-4, 500.0, 0.1


@pytest.fixture
def fill(create_stepper):
    """Return a function for the composition after constant inflow through a group."""

    def run(domain, group):
        psi = FreeEnergyDensity(RegularSolution(0.0), 0.0)
        reactions = [SurfaceReaction(group, ConstantFlux(-INFLOW))]
        problem = ChemoMechanics(domain, psi, DegenerateMobility(1.0), reactions=reactions)
        problem.c.x.array[:] = START
        stepper = create_stepper(problem, StepControl(tolerance=7e-9, first_step=1e-2))
        while stepper.time < TIME:
            stepper.advance(TIME)
        return problem.c

    return run


def worst_error(c, exact):
    """Largest error at any node relative to the smallest exact change."""
    points = c.function_space.tabulate_dof_coordinates()
    change = exact(points)
    comm = c.function_space.mesh.comm
    error = comm.allreduce(np.abs(c.x.array - START - change).max(initial=0.0), op=MPI.MAX)
    return error / comm.allreduce(change.min(initial=np.inf), op=MPI.MIN)


def slab(x, n_terms=60):
    """Change of composition at distance |x| from the middle of a slab."""
    n = np.arange(1, n_terms)[:, None]
    tau = TIME / SIZE**2
    decay = (-1.0) ** n / n**2 * np.exp(-(n**2) * np.pi**2 * tau) * np.cos(n * np.pi * x / SIZE)
    steady = tau + (3 * (x / SIZE) ** 2 - 1) / 6
    return INFLOW * SIZE * (steady - 2 / np.pi**2 * decay.sum(axis=0))


def cylinder(r, n_terms=60):
    """Change of composition at distance r from the axis of a cylinder."""
    alpha = jn_zeros(1, n_terms)[:, None]
    tau = TIME / SIZE**2
    decay = np.exp(-(alpha**2) * tau) * j0(alpha * r / SIZE) / (alpha**2 * j0(alpha))
    steady = 2 * tau + (r / SIZE) ** 2 / 2 - 0.25
    return INFLOW * SIZE * (steady - 2 * decay.sum(axis=0))


def test_series():
    """The series agree with independently computed values."""
    ends = np.array([0.0, SIZE])
    np.testing.assert_allclose(slab(ends), [3.07319e-4, 2.525826e-3], rtol=2e-6)
    np.testing.assert_allclose(cylinder(ends), [8.39688e-4, 3.213852e-3], rtol=2e-6)


@pytest.mark.parametrize("cell", ["quadrilateral", "triangle"])
def test_slab_under_constant_flux(fill, cell, verify):
    domain = create_domain(Box((SIZE * 1e-9, 0.5e-9)), 0.5e-9, MPI.COMM_WORLD, cell)
    c = fill(domain, "right")
    error = worst_error(c, lambda x: slab(x[:, 0]))
    verify("slab under constant flux, worst error", error, 0.0, abs=1e-3, against="series")


@pytest.mark.slow
def test_cylinder_under_constant_flux(fill, verify):
    # A polygon with the circle's ratio of area to perimeter fills at the circle's rate. Its edges
    # are longer than the cells', so that the mesh keeps them.
    angle = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    radius = SIZE / np.cos(np.pi / len(angle))
    corners = 1e-9 * radius * np.column_stack([np.cos(angle), np.sin(angle)])
    domain = create_domain(Outline(corners), 1.6e-9, MPI.COMM_WORLD)
    c = fill(domain, "surface")
    error = worst_error(c, lambda x: cylinder(np.hypot(x[:, 0], x[:, 1])))
    verify("cylinder under constant flux, worst error", error, 0.0, abs=1e-3, against="series")
    comm = domain.mesh.comm
    total = comm.allreduce(fem.assemble_scalar(fem.form((c - START) * ufl.dx)), op=MPI.SUM)
    area = comm.allreduce(
        fem.assemble_scalar(fem.form(fem.Constant(domain.mesh, 1.0) * ufl.dx)), op=MPI.SUM
    )
    assert total / area == pytest.approx(2 * INFLOW * TIME / SIZE, rel=1e-9)

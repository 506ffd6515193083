"""A manufactured solution: orders of convergence in space and in time."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

from chemomech.forms.energy import FreeEnergyDensity, Mechanics, create_strain
from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.materials.eigenstrain import Eigenstrain
from chemomech.materials.elasticity import Assumption, Elasticity, create_isotropic_stiffness
from chemomech.materials.free_energy import RegularSolution
from chemomech.materials.mobility import DegenerateMobility
from chemomech.problems.chemo_mechanics import ChemoMechanics
from chemomech.problems.conditions import Loads
from chemomech.problems.diffusion import Discretisation
from chemomech.problems.rollers import Roller
from chemomech.solvers.newton import NewtonSettings
from chemomech.solvers.steps import StepControl

CHI, KAPPA, YOUNG, POISSON, ETA, AMPLITUDE = 2.75, 0.01, 20.0, 0.3, 0.05, 0.02
# u . n and the shear traction vanish on every side, and so do the fluxes of c and mu.
ROLLERS = Loads(supports=[Roller(side) for side in ("left", "right", "bottom", "top")])
TIGHT = NewtonSettings(relative_tolerance=1e-12, absolute_tolerance=1e-12, step_tolerance=1e-14)


def exact_solution(mesh, time):
    """Fields, stress and sources, by Hooke's law written out: independent of the package's."""
    x, y = ufl.SpatialCoordinate(mesh)
    time = ufl.variable(time)
    c = 0.5 + 0.2 * ufl.cos(ufl.pi * x) * ufl.cos(ufl.pi * y) * ufl.exp(-time)
    u = (
        AMPLITUDE
        * (1 + time)
        * ufl.as_vector(
            [ufl.sin(ufl.pi * x) * ufl.cos(ufl.pi * y), ufl.cos(ufl.pi * x) * ufl.sin(ufl.pi * y)]
        )
    )
    elastic = create_strain(u) - ETA * (c - 0.5) * ufl.Identity(3)
    lame, shear = (
        YOUNG * POISSON / ((1 + POISSON) * (1 - 2 * POISSON)),
        YOUNG / (2 * (1 + POISSON)),
    )
    stress = lame * ufl.tr(elastic) * ufl.Identity(3) + 2 * shear * elastic
    mu = ufl.ln(c / (1 - c)) + CHI * (1 - 2 * c) - KAPPA * ufl.div(ufl.grad(c))
    mu -= ETA * ufl.tr(stress)
    rate = ufl.diff(c, time)
    plane = ufl.as_matrix([[stress[i, j] for j in range(2)] for i in range(2)])
    return SimpleNamespace(
        c=c,
        mu=mu,
        u=u,
        rate=rate,
        stress=stress,
        supply=rate - ufl.div(c * (1 - c) * ufl.grad(mu)),
        force=-ufl.div(plane),
    )


def create_problem(cells, degree, cell, time):
    domain = create_domain(Box((1e-9, 1e-9)), 1e-9 / cells, MPI.COMM_WORLD, cell)
    stiffness = create_isotropic_stiffness(YOUNG, POISSON)
    mechanics = Mechanics(
        Elasticity(stiffness, Assumption.PLANE_STRAIN), Eigenstrain.isotropic(ETA, 0.5)
    )
    clock = fem.Constant(domain.mesh, time)
    exact = exact_solution(domain.mesh, clock)
    problem = ChemoMechanics(
        domain,
        FreeEnergyDensity(RegularSolution(CHI), KAPPA, mechanics),
        DegenerateMobility(1.0),
        ROLLERS,
        Discretisation(degree, degree),
        sources=(exact.supply, exact.force),
    )
    set_to(problem.c, exact.c)
    return problem, exact, clock


def set_to(function, expression):
    points = function.function_space.element.interpolation_points
    function.interpolate(fem.Expression(expression, points() if callable(points) else points))


def norm(expression, mesh, degree):
    dx = ufl.Measure("dx", mesh, metadata={"quadrature_degree": degree})
    form = fem.form(ufl.inner(expression, expression) * dx)
    return np.sqrt(mesh.comm.allreduce(fem.assemble_scalar(form), op=MPI.SUM))


def test_values_of_the_manufactured_solution():
    """The expressions agree with an independent derivation at (0.3, 0.2), t = 0.1."""
    domain = create_domain(Box((0.6e-9, 0.4e-9)), 1e-9, MPI.COMM_SELF)
    exact = exact_solution(domain.mesh, fem.Constant(domain.mesh, 0.1))
    values = ufl.as_vector(
        [exact.c, exact.mu, exact.supply, *exact.force, exact.stress[0, 0], exact.stress[2, 2]]
    )
    # One cell, whose middle is the point.
    middle = fem.Expression(values, np.array([[0.5, 0.5]])).eval(
        domain.mesh, np.array([0], dtype=np.int32)
    )
    expected = [
        0.586055152261,
        -0.240695663503,
        -1.41324623157,
        6.72204438255,
        3.54832553845,
        1.04894495828,
        0.543311822705,
    ]
    np.testing.assert_allclose(middle.ravel(), expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("degree", "cell"),
    [
        (1, "triangle"),
        pytest.param(1, "quadrilateral", marks=pytest.mark.slow),
        (2, "triangle"),
        pytest.param(2, "quadrilateral", marks=pytest.mark.slow),
    ],
)
def test_orders_in_space(create_newton, degree, cell, verify):
    """Errors fall with h^(p + 1) in L2 and h^p in H1.

    One implicit step is solved whose history is such that dc/dt is exact: no error of time enters.
    """
    shift, counts = 20.0, np.array([8, 16, 32]) // degree
    errors = []
    for cells in counts:
        problem, exact, _ = create_problem(int(cells), degree, cell, 0.1)
        problem.mass_coefficient.value = shift
        set_to(problem.history, exact.rate - shift * exact.c)
        set_to(problem.mu, exact.mu)
        assert create_newton(problem, TIGHT).solve().converged
        mesh, accuracy = problem.domain.mesh, 2 * degree + 3
        pairs = [(problem.c, exact.c), (problem.mu, exact.mu), (problem.u, exact.u)]
        errors.append(
            [norm(field - value, mesh, accuracy) for field, value in pairs]
            + [norm(ufl.grad(field - value), mesh, accuracy) for field, value in pairs]
        )
    rates = np.log2(np.array(errors[:-1]) / errors[1:])[-1]
    for name, found, order in (("L2", rates[:3], degree + 1), ("H1", rates[3:], degree)):
        for rate in found:
            verify(
                f"order in space, {name}, degree {degree}",
                rate,
                order,
                abs=0.15,
                against="manufactured solution",
            )


def test_second_order_in_time(create_stepper, verify):
    """Differences between runs with halved steps on one mesh fall by four: space cancels out."""
    states = []
    for steps in (10, 20, 40, 80):
        problem, _, clock = create_problem(8, 1, "quadrilateral", 0.0)
        size = 0.4 / steps
        control = StepControl(first_step=size, adaptive=False, newton_share=0.0)
        stepper = create_stepper(problem, control, TIGHT)
        for number in range(1, steps + 1):
            clock.value = number * size
            stepper.advance(number * size)
        assert stepper.time == pytest.approx(0.4)
        states.append([field.x.array.copy() for field in (problem.c, problem.mu, problem.u)])
    comm = problem.domain.mesh.comm
    changes = [
        [
            np.sqrt(comm.allreduce(np.sum((finer - coarser) ** 2)))
            for coarser, finer in zip(*pair, strict=True)
        ]
        for pair in pairwise(states)
    ]
    rates = np.log2(np.array(changes[:-1]) / changes[1:])
    for rate in rates[-1]:
        verify("order in time", rate, 2.0, abs=0.15, against="BDF2")

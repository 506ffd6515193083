"""Straight wires as outlines: a wave of composition along a strip, and rollers at cut ends."""

import numpy as np
import pytest
import ufl

from chemomech.problems.conditions import Loads
from chemomech.problems.rollers import Roller
from chemomech.problems.static_stress import StaticStress
from chemomech.problems.stress_statistics import StressStatistics

HALF = 50.0
WAVELENGTH = 200.0
AMPLITUDE = 1e-3
STRIP = [(0, -HALF), (WAVELENGTH, -HALF), (WAVELENGTH, HALF), (0, HALF)]
#: Both ends, numbered by the corner they start from.
ENDS = (1, 3)
ROLLERS = Loads(supports=(Roller("border"),))


def airy_stress(mesh, young):
    r"""Stress of e = A cos(kx): Airy's function f cos(kx) with f = f' = 0 at y = +-H.

    f = E A / k^2 + B cosh(ky) + C k y sinh(ky)
    """
    k = 2 * np.pi / WAVELENGTH
    edge = k * HALF
    conditions = [
        [np.cosh(edge), edge * np.sinh(edge)],
        [np.sinh(edge), np.sinh(edge) + edge * np.cosh(edge)],
    ]
    b, c = np.linalg.solve(conditions, [-young * AMPLITUDE / k**2, 0.0])
    x, y = ufl.SpatialCoordinate(mesh)
    cosh, sinh = ufl.cosh(k * y), ufl.sinh(k * y)
    f = young * AMPLITUDE / k**2 + b * cosh + c * k * y * sinh
    slope = k * (b * sinh + c * (sinh + k * y * cosh))
    curvature = k**2 * (b * cosh + c * (2 * cosh + k * y * sinh))
    xx, yy = curvature * ufl.cos(k * x), -(k**2) * f * ufl.cos(k * x)
    xy = k * slope * ufl.sin(k * x)
    return ufl.as_matrix([[xx, xy, 0], [xy, yy, 0], [0, 0, 0]])


@pytest.mark.parametrize(
    ("degree", "sizes", "order"), [(1, (10.0, 2.5), 1.0), (2, (10.0, 1.25), 2.0)]
)
def test_wave_along_a_strip(
    degree, sizes, order, comm, solid, mesh_outline, sample, solve, relative_error, verify
):
    """The stress of displacements of degree p converges at order p, the composition at nodes."""
    errors = []
    for size in sizes:
        domain = mesh_outline(STRIP, size, comm, cut=ENDS)
        k = 2 * np.pi / WAVELENGTH
        c = sample(domain.mesh, lambda x, k=k: AMPLITUDE * np.cos(k * x[0]))
        problem = solve(StaticStress(domain, solid.mechanics("plane_stress"), c, ROLLERS, degree))
        exact = airy_stress(domain.mesh, solid.young)
        errors.append(relative_error(problem.stress(), exact, domain.mesh))
    assert np.log(errors[0] / errors[1]) / np.log(sizes[0] / sizes[1]) >= order - 0.1
    if degree == 2:
        verify("wave along a strip, error in L2", errors[-1], 0.0, abs=0.005, against="Airy")


@pytest.mark.parametrize("content", [0.1, 0.7])
def test_rollers_at_cut_ends_stress_a_uniform_wire(
    content, comm, solid, mesh_outline, sample, solve, largest, verify
):
    """sigma_xx = -E Omega C c / 3, in Pa here, though nothing differs in composition."""
    expansion = 2.415e-6 * 18500 / 3
    domain = mesh_outline(STRIP, 20.0, comm, cut=ENDS)
    c = sample(domain.mesh, lambda x: np.full(x.shape[1], content))
    problem = StaticStress(domain, solid.mechanics("plane_stress", expansion), c, ROLLERS)
    solve(problem)
    stress = -solid.young * expansion * content
    exact = ufl.as_matrix([[stress, 0, 0], [0, 0, 0], [0, 0, 0]])
    assert largest(problem.stress() - exact, domain.mesh) < 1e-7 * abs(stress)
    table = StressStatistics(problem.stress(), c, domain, 1e6).compute()
    expected = 43e9 * 2.415e-6 * 18500 * content / 3
    row = table.find("von_mises", "all")
    assert row.minimum == pytest.approx(expected, rel=1e-7)
    verify(
        f"uniform wire between rollers, c = {content}",
        row.maximum / 1e6,
        expected / 1e6,
        "MPa",
        rel=1e-7,
        against="E Omega C c / 3",
    )
    assert table.find("principal_3", "all").mean == pytest.approx(-expected, rel=1e-7)

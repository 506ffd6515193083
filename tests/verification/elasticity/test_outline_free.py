"""Free particles of any outline in plane stress: which compositions stress them, and which do not.

The in-plane stresses obey lap(sigma_xx + sigma_yy) = -E lap(e): without holes, an eigenstrain whose
Laplacian vanishes leaves a free particle without stress.
"""

import numpy as np
import pytest
import ufl
from dolfinx import fem

from chemomech.problems.static_stress import StaticStress

MISFIT = 1e-3
# A bent wire with a notch, nm; its corners are no place of high stress where there is none.
BENT = np.array(
    [(0, 0), (200, 0), (260, 80), (260, 200), (180, 200), (180, 90), (110, 60), (90, 80), (0, 70)],
    dtype=float,
)


@pytest.fixture
def share_of_misfit(solid, solve, integrate):
    """Return a function for the root mean square of the stress / (E e)."""

    def compute(domain, c, degree=2):
        problem = solve(
            StaticStress(domain, solid.mechanics("plane_stress"), c, displacement_degree=degree)
        )
        stress, mesh = problem.stress(), domain.mesh
        volume = integrate(fem.Constant(mesh, 1.0), mesh)
        square = integrate(ufl.inner(stress, stress), mesh) / volume
        return np.sqrt(square) / (solid.young * MISFIT)

    return compute


@pytest.mark.parametrize("degree", [1, 2])
def test_uniform_composition(degree, comm, mesh_outline, sample, share_of_misfit):
    domain = mesh_outline(BENT, 10.0, comm)
    c = sample(domain.mesh, lambda x: np.full(x.shape[1], MISFIT))
    assert share_of_misfit(domain, c, degree) < 1e-9


def test_linear_composition(comm, mesh_outline, sample, share_of_misfit):
    """Quadratic displacements bend the particle as it wants to."""
    domain = mesh_outline(BENT, 10.0, comm)
    c = sample(domain.mesh, lambda x: MISFIT * (x[0] - 0.5 * x[1]) / 100)
    assert share_of_misfit(domain, c) < 1e-9


def test_linear_composition_with_linear_displacements(comm, mesh_outline, sample, share_of_misfit):
    """Cells that cannot bend are stressed at first order in their size."""
    shares = []
    for size in (20.0, 10.0, 5.0):
        domain = mesh_outline(BENT, size, comm)
        c = sample(domain.mesh, lambda x: MISFIT * (x[0] - 0.5 * x[1]) / 100)
        shares.append(share_of_misfit(domain, c, 1))
    assert np.log2(shares[0] / shares[-1]) / 2 == pytest.approx(1.0, abs=0.15)


def test_harmonic_composition(comm, mesh_outline, sample, share_of_misfit):
    """e = exp(x / l) cos(y / l): its stress is that of its interpolation, second order."""
    shares = []
    for size in (20.0, 10.0, 5.0, 2.5):
        domain = mesh_outline(BENT, size, comm)
        c = sample(domain.mesh, lambda x: MISFIT * np.exp(x[0] / 200) * np.cos(x[1] / 200))
        shares.append(share_of_misfit(domain, c))
    assert shares[-1] < 1e-3
    assert np.log2(shares[0] / shares[-1]) / 3 >= 1.9


def test_harmonic_composition_around_a_hole(
    comm, solid, mesh_outline, circle, sample, solve, polar_tensor, relative_error
):
    """e = ln(r / a) is harmonic, and yet stresses a ring: sigma of a hollow cylinder (3.6)."""
    inner, outer, errors = 40.0, 100.0, []
    sizes = (12.0, 6.0, 3.0)
    for size in sizes:
        rings = circle(outer, size), circle(inner, size)
        domain = mesh_outline(rings[0], size, comm, holes=rings[1:])
        mesh = domain.mesh
        c = sample(mesh, lambda x: MISFIT * np.log(np.hypot(x[0], x[1]) / inner))
        problem = solve(
            StaticStress(domain, solid.mechanics("plane_stress"), c, displacement_degree=2)
        )
        x = ufl.SpatialCoordinate(mesh)
        r = ufl.sqrt(ufl.dot(x, x))
        e = MISFIT * ufl.ln(r / inner)

        def content(r, log):
            """Integral of e r dr from the hole."""
            return MISFIT * (r**2 / 2 * log(r / inner) - (r**2 - inner**2) / 4)

        whole = content(outer, np.log) / (outer**2 - inner**2)
        within = content(r, ufl.ln)
        radial = solid.young / r**2 * ((r**2 - inner**2) * whole - within)
        hoop = solid.young / r**2 * ((r**2 + inner**2) * whole + within - e * r**2)
        exact = polar_tensor(mesh, radial, hoop, 0)
        errors.append(relative_error(problem.stress(), exact, mesh))
    assert errors[-1] < 0.005
    assert np.log2(errors[0] / errors[-1]) / 2 >= 1.9

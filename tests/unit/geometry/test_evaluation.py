"""Integrals, norms and point values against exact ones, in SI units."""

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

from chemomech import Box, InputError, compute_norm, create_domain, evaluate, integrate

LENGTHS = {2: (40e-9, 20e-9), 3: (40e-9, 20e-9, 10e-9)}


@pytest.fixture(params=[2, 3])
def domain(request):
    return create_domain(Box(LENGTHS[request.param]), 5e-9, MPI.COMM_WORLD)


def test_integrals_are_in_metres(domain):
    lengths = LENGTHS[domain.mesh.topology.dim]
    x = ufl.SpatialCoordinate(domain.mesh)
    assert integrate(domain, 1.0) == pytest.approx(np.prod(lengths), rel=1e-12)
    assert integrate(domain, x[0]) == pytest.approx(20.0 * np.prod(lengths), rel=1e-12)
    assert integrate(domain, 2.0, group="left") == pytest.approx(
        2.0 * np.prod(lengths[1:]), rel=1e-12
    )
    with pytest.raises(InputError, match="nowhere"):
        integrate(domain, 1.0, group="nowhere")


def test_a_norm_is_the_root_of_the_mean_square(domain):
    x = ufl.SpatialCoordinate(domain.mesh)
    assert compute_norm(domain, ufl.as_ufl(-3.0)) == pytest.approx(3.0, rel=1e-12)
    assert compute_norm(domain, x[0]) == pytest.approx(40.0 / np.sqrt(3.0), rel=1e-12)
    assert compute_norm(domain, 2 * ufl.Identity(3)) == pytest.approx(np.sqrt(12.0), rel=1e-12)


def test_values_at_points_are_found_on_any_rank(domain):
    """Also on edges that several cells and ranks share, and not outside."""
    dimension = domain.mesh.topology.dim
    scalar = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1)))
    scalar.interpolate(lambda x: 1.0 + x[0] - 2.0 * x[1])
    vector = fem.Function(fem.functionspace(domain.mesh, ("Lagrange", 1, (2,))))
    vector.interpolate(lambda x: (x[0], -x[1]))
    points = np.full((4, dimension), 2.5e-9)
    points[:, 0] = np.array([0.0, 10.0, 13.7, 41.0]) * 1e-9
    values = evaluate(domain, scalar, points)
    np.testing.assert_allclose(values, [-4.0, 6.0, 9.7, np.nan], rtol=1e-12)
    vectors = evaluate(domain, vector, points[:2])
    np.testing.assert_allclose(vectors, [[0.0, -2.5], [10.0, -2.5]], atol=1e-12)

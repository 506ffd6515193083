"""Stress at the vertices: tensors with known invariants and components."""

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

from chemomech.geometry.box import Box
from chemomech.geometry.meshing import create_domain
from chemomech.problems.stress_fields import StressFields
from chemomech.problems.stress_measures import _compute_principal, _compute_wire_stress


@pytest.fixture(params=[2, 3])
def space(request):
    domain = create_domain(Box((20e-9,) * request.param), 10e-9, MPI.COMM_WORLD)
    return fem.functionspace(domain.mesh, ("Lagrange", 1))


@pytest.fixture
def tangent(space):
    """At 45 degrees in the plane."""
    dimension = space.mesh.geometry.dim
    vector = np.array([1.0, 1.0, 0.0][:dimension]) / np.sqrt(2)
    field = fem.Function(fem.functionspace(space.mesh, ("DG", 0, (dimension,))))
    field.interpolate(lambda x: np.repeat(vector[:, None], x.shape[1], axis=1))
    return field


def test_names_depend_on_what_is_known(space, tangent):
    stress = ufl.Identity(3)
    plain = ["stress", "von_mises", "hydrostatic"]
    wire = ["stress_along", "stress_normal", "stress_shear"]
    principal = ["principal_1", "principal_2", "principal_3"]

    def names(*arguments, **options):
        return [f.name for f in StressFields(stress, space, 1.0, *arguments, **options).fields]

    assert names() == plain
    assert names(tangent) == plain + wire
    assert names(tangent, principal=True) == plain + wire + principal


def test_components_and_principal_stresses(space, tangent):
    """sigma = diag(5, 1, -2) seen at 45 degrees: 3 along and across, shear -2 (n = z x t)."""
    stress = ufl.as_matrix([[5, 0, 0], [0, 1, 0], [0, 0, -2]])
    fields = StressFields(stress, space, 10.0, tangent, principal=True)
    fields.update()
    values = {field.name: field.x.array for field in fields.fields}
    expected = {
        "von_mises": 10 * np.sqrt((16 + 9 + 49) / 2),
        "hydrostatic": 40 / 3,
        "stress_along": 30,
        "stress_normal": 30,
        "stress_shear": -20,
        "principal_1": 50,
        "principal_2": 10,
        "principal_3": -20,
    }
    for name, value in expected.items():
        np.testing.assert_allclose(values[name], value, rtol=1e-12)
    assert fields.max_von_mises() == pytest.approx(expected["von_mises"])


def test_invariants_survive_any_rotation():
    rng = np.random.default_rng(3)
    turns = np.linalg.qr(rng.normal(size=(50, 3, 3)))[0]
    values = np.sort(rng.normal(size=(50, 3)), axis=1)[:, ::-1]
    tensors = np.einsum("nij,nj,nkj->nik", turns, values, turns)
    np.testing.assert_allclose(_compute_principal(tensors), values, atol=1e-12)


def test_trace_in_the_plane_is_kept():
    rng = np.random.default_rng(4)
    tensors = rng.normal(size=(50, 3, 3))
    tensors += tensors.transpose(0, 2, 1)
    angle = rng.uniform(0, 2 * np.pi, 50)
    tangent = np.stack([np.cos(angle), np.sin(angle), np.zeros(50)], axis=1)
    parts = _compute_wire_stress(tensors, tangent)
    total = parts["stress_along"] + parts["stress_normal"]
    np.testing.assert_allclose(total, tensors[:, 0, 0] + tensors[:, 1, 1], atol=1e-12)

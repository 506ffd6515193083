import numpy as np
import pytest
import ufl
from dolfinx import fem, mesh
from mpi4py import MPI

from chemomech.errors import InputError
from chemomech.materials.eigenstrain import Eigenstrain, TurnedEigenstrain
from chemomech.materials.elasticity import create_wire_rotation

TENSOR = ((0.02, 0.005, 0.0), (0.005, -0.01, 0.0), (0.0, 0.0, 0.03))


@pytest.fixture
def evaluate():
    """Return a function for the value of a uniform tensor."""
    square = mesh.create_unit_square(MPI.COMM_SELF, 1, 1)

    def value(tensor):
        forms = [fem.form(tensor[i, j] * ufl.dx(square)) for i in range(3) for j in range(3)]
        return np.reshape([fem.assemble_scalar(form) for form in forms], (3, 3))

    return value


def test_isotropic_eigenstrain_grows_from_the_reference(evaluate):
    strain = Eigenstrain.isotropic(0.015, 0.4).strain(ufl.as_ufl(0.6))
    np.testing.assert_allclose(evaluate(strain), 0.003 * np.eye(3), atol=1e-16)


def test_tensor_in_the_wire_frame_turns_with_the_wire(evaluate):
    angle = np.pi / 6
    turned = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    rotation = create_wire_rotation(ufl.as_vector([np.cos(angle), np.sin(angle)]))
    np.testing.assert_allclose(evaluate(rotation), turned, atol=1e-15)
    strain = TurnedEigenstrain(Eigenstrain(TENSOR, 0.0), rotation).strain(ufl.as_ufl(0.5))
    expected = 0.5 * turned @ np.array(TENSOR) @ turned.T
    np.testing.assert_allclose(evaluate(strain), expected, atol=1e-16)


@pytest.mark.parametrize("tensor", [((1.0, 0.0), (0.0, 1.0)), ((0, 1, 0), (0, 0, 0), (0, 0, 0))])
def test_what_is_no_strain_is_refused(tensor):
    with pytest.raises(InputError, match="symmetric 3 x 3"):
        Eigenstrain(tensor, 0.0)

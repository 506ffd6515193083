import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.materials.elasticity import (
    Assumption,
    Elasticity,
    create_cubic_stiffness,
    create_isotropic_stiffness,
    create_orthotropic_stiffness,
)

YOUNG, POISSON = 43.0, 0.3
ISOTROPIC = create_isotropic_stiffness(YOUNG, POISSON)


def test_isotropic_stiffness_inverts_hookes_law():
    strain = np.linalg.solve(ISOTROPIC, [1.0, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(
        strain, [1 / YOUNG, -POISSON / YOUNG, -POISSON / YOUNG, 0, 0, 0], atol=1e-15
    )
    # Mandel's shear entries: s sigma_23 = C44 s eps_23 with sigma = 2 G eps.
    assert ISOTROPIC[3, 3] == pytest.approx(YOUNG / (1 + POISSON))


def test_crystals_with_isotropic_constants_are_isotropic():
    shear = YOUNG / (2 * (1 + POISSON))
    orthotropic = create_orthotropic_stiffness((YOUNG,) * 3, (POISSON,) * 3, (shear,) * 3)
    cubic = create_cubic_stiffness(ISOTROPIC[0, 0], ISOTROPIC[0, 1], shear)
    np.testing.assert_allclose(orthotropic, ISOTROPIC, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(cubic, ISOTROPIC, rtol=1e-12, atol=1e-12)


def test_orthotropic_stiffness_returns_its_constants():
    """nu_ij is the contraction along j under tension along i; nu_ij / E_i = nu_ji / E_j."""
    young, poisson, shear = (40.0, 60.0, 25.0), (0.25, 0.3, 0.2), (9.0, 11.0, 15.0)
    compliance = np.linalg.inv(create_orthotropic_stiffness(young, poisson, shear))
    np.testing.assert_allclose(1 / np.diag(compliance)[:3], young)
    np.testing.assert_allclose(1 / np.diag(compliance)[3:] / 2, shear)
    pulled = compliance[:, 0] / compliance[0, 0]
    np.testing.assert_allclose(pulled[1:3], [-0.25, -0.3])
    assert compliance[2, 1] / compliance[1, 1] == pytest.approx(-0.2)


@pytest.mark.parametrize(
    "stiffness",
    [
        ISOTROPIC,
        create_orthotropic_stiffness((40.0, 60.0, 25.0), (0.25, 0.3, 0.2), (9.0, 11.0, 15.0)),
    ],
    ids=["isotropic", "orthotropic"],
)
def test_plane_stress_has_the_compliance_of_the_plane(stiffness):
    """Condensing the stiffness is dropping rows and columns of the compliance."""
    plane = np.ix_([0, 1, 5], [0, 1, 5])
    condensed = Elasticity(stiffness, Assumption.PLANE_STRESS).plane_stress_stiffness
    np.testing.assert_allclose(np.linalg.inv(condensed[plane]), np.linalg.inv(stiffness)[plane])
    assert not condensed[[2, 3, 4]].any()


@pytest.mark.parametrize(
    "stiffness",
    [
        create_isotropic_stiffness(43.0, 0.55),
        create_isotropic_stiffness(-43.0, 0.3),
        create_cubic_stiffness(30.0, 40.0, 20.0),
        ISOTROPIC + np.eye(6, k=1),
    ],
    ids=["poisson", "young", "cubic", "unsymmetric"],
)
def test_a_stiffness_that_would_yield_energy_is_refused(stiffness):
    with pytest.raises(InputError, match="not positive definite"):
        Elasticity(stiffness, Assumption.PLANE_STRAIN)

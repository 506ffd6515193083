"""Crystal axes by Bunge's angles and by two directions."""

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.materials.orientation import (
    create_axes_from_two,
    create_euler_axes,
    create_turned_axes,
)


def test_euler_angles_are_bunges():
    """Rows of Bunge's g, as textbooks on texture print it, are the crystal's axes."""
    angles = np.radians([25.0, 40.0, -70.0])
    (c1, c, c2), (s1, s, s2) = np.cos(angles), np.sin(angles)
    g = [
        [c1 * c2 - s1 * s2 * c, s1 * c2 + c1 * s2 * c, s2 * s],
        [-c1 * s2 - s1 * c2 * c, -s1 * s2 + c1 * c2 * c, c2 * s],
        [s1 * s, -c1 * s, c],
    ]
    np.testing.assert_allclose(create_euler_axes(angles).T, g, atol=1e-15)


def test_without_a_tilt_the_crystal_is_turned_about_z():
    angle = 0.7
    turned = create_turned_axes(np.array([angle]))[0]
    np.testing.assert_allclose(turned[:, 0], [np.cos(angle), np.sin(angle), 0.0], atol=1e-15)
    np.testing.assert_allclose(create_euler_axes([0.5, 0.0, 0.2]), turned, atol=1e-15)


def test_two_directions_of_any_length():
    axes = create_axes_from_two((3.0, 3.0), (-0.1, 0.1001))
    half = np.sqrt(0.5)
    np.testing.assert_allclose(axes, [[half, -half, 0], [half, half, 0], [0, 0, 1]], atol=1e-15)
    axes = create_axes_from_two((0.0, 0.0, 2.0), (1.0, 0.0, 0.0))
    np.testing.assert_array_equal(axes, [[0, 1, 0], [0, 0, 1], [1, 0, 0]])


@pytest.mark.parametrize(
    ("second", "message"), [((1.0, 0.1), "not at 5.711 deg"), ((0.0, 0.0), "zero length")]
)
def test_what_are_no_axes_is_refused(second, message):
    with pytest.raises(InputError, match=message):
        create_axes_from_two((1.0, 0.0), second)

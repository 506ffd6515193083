"""Pure phases fit together or are refused."""

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.imaging.spectra import EndMembers

NAMES, LITHIUM, SPECTRA = ("poor", "rich"), np.array([0.1, 0.3]), np.ones((2, 5))


def test_thickness_and_sources_may_be_unknown():
    members = EndMembers(NAMES, LITHIUM, SPECTRA)
    assert members.thickness is None
    assert members.sources == ()


@pytest.mark.parametrize(
    ("names", "lithium", "spectra", "piece"),
    [
        (("poor",), LITHIUM[:1], SPECTRA[:1], "at least two"),
        ((), LITHIUM[:0], SPECTRA[:0], "at least two"),
        (NAMES, LITHIUM[:1], SPECTRA, "each end member needs"),
        (NAMES, LITHIUM[:, None], SPECTRA, "each end member needs"),
        (NAMES, LITHIUM, np.ones((3, 5)), "each end member needs"),
    ],
)
def test_parts_that_do_not_fit(names, lithium, spectra, piece):
    with pytest.raises(InputError, match=piece):
        EndMembers(names, lithium, spectra)

"""What all tests share: the linear solver of the command line, and figures held to theory."""

import json

import pytest

from chemomech.solvers.presets import Preset


def pytest_addoption(parser):
    parser.addoption(
        "--preset",
        choices=[preset.value for preset in Preset],
        default=Preset.DIRECT.value,
        help="linear solver of the tests that do not go through all (default: %(default)s)",
    )


@pytest.fixture
def preset(request):
    """The linear solver: that of the command line, where a test is not parametrized by it."""
    return Preset(request.config.getoption("--preset"))


@pytest.fixture
def verify(record_property):
    """Return a function that holds a figure to what it should be.

    Both become properties of the test in pytest's --junitxml, from which the documentation takes
    its table of verified figures: what it shows is what was asserted.
    """

    # As pytest.approx names them
    def hold(claim, found, expected, unit="", *, rel=None, abs=None, against):  # noqa: A002
        record_property(
            "verified",
            json.dumps(
                {
                    "claim": claim,
                    "found": float(found),
                    "expected": float(expected),
                    "unit": unit,
                    "tolerance": float(abs if rel is None else rel * max(expected, -expected)),
                    "against": against,
                }
            ),
        )
        assert found == pytest.approx(expected, rel=rel, abs=abs)

    return hold

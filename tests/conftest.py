"""The linear solver that tests use: one of the command line, or each in turn."""

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

"""Failures on rank 0 reach every rank."""

import pytest
from mpi4py import MPI

from chemomech.errors import ConvergenceError, InputError, describe_foreign_error, run_on_root


class _Unsendable(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


def _fail(error):
    raise error


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (InputError("is wrong", key="mesh.size", path="a.toml"), InputError, "a.toml: mesh.size"),
        (ConvergenceError("gave up", reason=-3), ConvergenceError, "gave up"),
        (OSError(28, "No space left on device"), OSError, "No space"),
        (ValueError("foreign"), ValueError, "foreign"),
        (_Unsendable("one", "two"), RuntimeError, "one and two"),
    ],
)
def test_failure_of_rank_0_is_raised_on_every_rank(error, kind, text):
    with pytest.raises(kind, match=text):
        run_on_root(MPI.COMM_WORLD, lambda: _fail(error))


def test_result_of_rank_0_reaches_every_rank():
    rank = MPI.COMM_WORLD.rank
    assert run_on_root(MPI.COMM_WORLD, lambda: {"rank": rank}) == {"rank": 0}


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "\x1b[1;36m[date]\x1b[1;34m [ADIOS2 EXCEPTION]\x1b[0m <Toolkit> <Open>:\n  no space\n",
            "[date] [ADIOS2 EXCEPTION] <Toolkit> <Open>: no space",
        ),
        ("", "RuntimeError"),
    ],
)
def test_errors_of_other_libraries_come_without_colour_codes_and_on_one_line(said, shown):
    assert describe_foreign_error(RuntimeError(said)) == shown

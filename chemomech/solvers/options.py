"""PETSc options that stand in its database only while their own solver reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from petsc4py import PETSc

from chemomech.fenicsx import is_option_unused
from chemomech.solvers.presets import PetscOptions


class SolverOptions:
    """The options of one solver by name, without dash and the prefix they have in PETSc's database.

    PETSc keeps options by name for the whole process, and its parts read them when they are first
    set up, some of them within the first solve. Options left there would steer every later solver
    that bears the same prefix: that of a 3-D problem the multigrid of a 2-D one.
    """

    def __init__(self, prefix: str, options: PetscOptions) -> None:
        self._prefix = prefix
        self._options = options
        self._unasked = set(options)

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Put the options into PETSc's database for the block, and back what was there before."""
        database = PETSc.Options(self._prefix)
        names = [*self._options]
        former = {name: database.getString(name) for name in names if database.hasName(name)}
        for name, value in self._options.items():
            database[name] = value
        try:
            yield
        finally:
            self._unasked = {n for n in self._unasked if is_option_unused(self._prefix, n)}
            for name in names:
                database.delValue(name)
            for name, text in former.items():
                database[name] = text

    def is_unasked(self, name: str) -> bool:
        """True if PETSc has never asked for one of the options."""
        return name in self._unasked

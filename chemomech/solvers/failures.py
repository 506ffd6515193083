"""Failures of solvers in words: PETSc's reasons, and a time step that cannot be taken."""

from __future__ import annotations

from petsc4py import PETSc

from chemomech.errors import ConvergenceError
from chemomech.fenicsx import SNES_NOT_FINITE

_SNES = PETSc.SNES.ConvergedReason
_KSP = PETSc.KSP.ConvergedReason

_NEWTON = {
    _SNES.DIVERGED_FUNCTION_DOMAIN: "the equations are not defined where a step led",
    SNES_NOT_FINITE: "the equations gave no finite number",
    _SNES.DIVERGED_MAX_IT: "it had not converged after as many iterations as are allowed",
    _SNES.DIVERGED_LINE_SEARCH: "no part of its last step brought it closer to a solution",
    _SNES.DIVERGED_LOCAL_MIN: "it is stuck where no step leads closer to a solution",
    _SNES.DIVERGED_DTOL: "its steps led away from a solution",
}
_LINEAR = {
    _KSP.DIVERGED_MAX_IT: "had not converged after as many iterations as are allowed",
    _KSP.DIVERGED_DTOL: "diverged",
    _KSP.DIVERGED_BREAKDOWN: "broke down",
    _KSP.DIVERGED_NANORINF: "met a number that is not finite",
    _KSP.DIVERGED_PCSETUP_FAILED: "has no usable preconditioner or factor",
}


class StepError(ConvergenceError):
    """A time step, or the state at one time, that could not be solved for.

    In the problem's unit, ``time`` is that of the last good state, ``size`` the length of the
    shortest step tried, 0 for a state. The reason is PETSc's SNES reason.
    """

    def __init__(self, why: str, time: float, size: float, reason: int) -> None:
        what = describe_failure(time, size, "of the problem's unit")
        super().__init__(f"{what}: {why}")
        self.why = why
        self.time = time
        self.size = size
        self.reason = reason


def describe_failure(time: float, size: float, unit: str) -> str:
    """Say which step, or state where ``size`` is 0, could not be solved for.

    ``time`` is that of the last good state, ``size`` the length of the shortest step tried.
    """
    if size:
        return f"the step from t = {time:.4g} {unit} failed, even at a length of {size:.2g} {unit}"
    return f"the {f'state at t = {time:.4g} {unit}' if time else 'initial state'} has no solution"


def describe_newton(reason: int, linear_reason: int) -> str:
    """Say how Newton's method has failed, by PETSc's SNES and last KSP reason.

    A positive reason: its steps became short far from a solution.
    """
    if reason == _SNES.DIVERGED_LINEAR_SOLVE:
        return f"Newton's method failed: its linear solver {describe_linear(linear_reason)}"
    if reason > 0:
        what = "its steps became short before they reached a solution"
    else:
        what = _NEWTON.get(reason, f"PETSc's SNES says {_name(_SNES, reason)}")
    return f"Newton's method failed: {what}"


def describe_linear(reason: int) -> str:
    """Say how a linear solver has failed, by PETSc's KSP reason, as a predicate."""
    return _LINEAR.get(reason, f"failed (PETSc's KSP says {_name(_KSP, reason)})")


def _name(reasons: type, value: int) -> str:
    names = (name for name in dir(reasons) if getattr(reasons, name) == value)
    return next(names, f"reason {value}")

"""Formulas of the place, as a user writes them."""

from __future__ import annotations

from collections.abc import Callable

import numexpr
import numpy as np
from numpy.typing import NDArray

from chemomech.errors import InputError

FloatArray = NDArray[np.float64]
Unroll = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

_NANOMETRE = 1e-9


def evaluate_formula(text: str, x: FloatArray, unroll: Unroll | None = None) -> FloatArray:
    """Evaluate a formula at points in nm, shape (3, n); values have the shape (n,).

    Args:
        text: Expression in ``x``, ``y``, ``z`` (in nm) and ``pi``, in numexpr's syntax, e.g.
            ``0.5 + 0.01*cos(2*pi*x/100)``; and in ``along`` and ``across`` (in nm) where there is a
            wire.
        x: The points.
        unroll: `Nanowire.unroll`, in m; None without a wire.
    """
    names = {"x": x[0], "y": x[1], "z": x[2]}
    if unroll is not None:
        along, across = unroll(x * _NANOMETRE)
        names |= {"along": along / _NANOMETRE, "across": across / _NANOMETRE}
    try:
        values = numexpr.evaluate(text, local_dict=names | {"pi": np.pi}, global_dict={})
    except KeyError as error:
        why = (
            'along and across are places in a wire, which only geometry.kind = "nanowire" '
            "describes; here there are"
            if error.args[0] in ("along", "across")
            else "there are"
        )
        raise InputError(
            f"{text!r} uses {error}; {why} {', '.join(names)} (in nm) and pi"
        ) from error
    except (
        ArithmeticError,
        AttributeError,
        NotImplementedError,
        SyntaxError,
        TypeError,
        ValueError,
    ) as error:
        raise InputError(f"{text!r} is no formula: {error}") from error
    return np.broadcast_to(values, x.shape[1]).astype(np.float64)

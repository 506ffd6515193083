"""Checks of the lengths and angles a user gives."""

from __future__ import annotations

import math

from chemomech.errors import InputError


def require_positive(value: float, key: str, unit: str = "m") -> None:
    """Refuse a value, a quantity in ``unit``, unless it is a finite number above zero."""
    if not (math.isfinite(value) and value > 0.0):
        raise InputError(f"must be a positive, finite number, got {value:g} {unit}", key=key)


def require_not_negative(value: float, key: str, unit: str = "m") -> None:
    """Refuse a value, a quantity in ``unit``, unless it is a finite number of at least zero."""
    if not (math.isfinite(value) and value >= 0.0):
        raise InputError(f"must be zero or positive and finite, got {value:g} {unit}", key=key)

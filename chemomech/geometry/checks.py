"""Checks of the lengths and angles a user gives."""

from __future__ import annotations

import math

from chemomech.errors import InputError


def require_positive(value: float, key: str, unit: str = "m") -> None:
    """Refuse ``value`` unless it is a finite number above zero.

    Args:
        value: Quantity in ``unit``.
        key: Configuration key named in the message.
        unit: Unit shown in the message.

    Raises:
        InputError: ``value`` is zero, negative, infinite or not a number.
    """
    if not (math.isfinite(value) and value > 0.0):
        raise InputError(f"must be a positive, finite number, got {value:g} {unit}", key=key)


def require_not_negative(value: float, key: str, unit: str = "m") -> None:
    """Refuse ``value`` unless it is a finite number of at least zero.

    Args:
        value: Quantity in ``unit``.
        key: Configuration key named in the message.
        unit: Unit shown in the message.

    Raises:
        InputError: ``value`` is negative, infinite or not a number.
    """
    if not (math.isfinite(value) and value >= 0.0):
        raise InputError(f"must be zero or positive and finite, got {value:g} {unit}", key=key)

"""Scalars that engineers read from a stress tensor, for many at once, and their percentiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from chemomech.arrays import FloatArray


def _compute_hydrostatic(stress: FloatArray) -> FloatArray:
    """tr(sigma) / 3 of tensors of shape (n, 3, 3), shape (n,); tension positive."""
    xx, yy, zz = (stress[:, i, i] for i in range(3))
    return np.asarray((xx + yy + zz) / 3)


def _compute_von_mises(stress: FloatArray) -> FloatArray:
    """sqrt(3/2 s : s), s the deviator, of symmetric tensors of shape (n, 3, 3), shape (n,)."""
    # Component by component: NumPy is slow where its innermost loop has three turns.
    xx, yy, zz = (stress[:, i, i] for i in range(3))
    xy, xz, yz = stress[:, 0, 1], stress[:, 0, 2], stress[:, 1, 2]
    normal = (xx - yy) ** 2 + (yy - zz) ** 2 + (zz - xx) ** 2
    return np.asarray(np.sqrt(0.5 * normal + 3.0 * (xy**2 + xz**2 + yz**2)))


def _compute_principal(stress: FloatArray) -> FloatArray:
    """Eigenvalues of symmetric tensors of shape (n, 3, 3), largest (most tensile) first.

    Returns:
        Shape (n, 3). In plane stress one of them is the zero across the plane.
    """
    # Round-off of the assembly leaves the two halves a little different.
    symmetric = 0.5 * (stress + stress.transpose(0, 2, 1))
    return np.asarray(np.linalg.eigvalsh(symmetric)[:, ::-1])


def _compute_wire_stress(stress: FloatArray, tangent: FloatArray) -> dict[str, FloatArray]:
    """Stress in the frame of the wire by name, shape (n,): sigma_tt, sigma_nn and sigma_tn.

    Tensors have the shape (n, 3, 3), unit vectors t along the wire the shape (n, 3), n = z x t. In
    3-D the wire is bent about the z axis, and n is of unit length. Tension is positive.
    """
    across = np.stack([-tangent[:, 1], tangent[:, 0], np.zeros(len(tangent))], axis=1)
    across /= np.linalg.norm(across, axis=1)[:, None]
    pairs = {
        "stress_along": (tangent, tangent),
        "stress_normal": (across, across),
        "stress_shear": (tangent, across),
    }
    return {
        name: np.einsum("ni,nij,nj->n", left, stress, right)
        for name, (left, right) in pairs.items()
    }


def compute_invariants(stress: FloatArray) -> dict[str, FloatArray]:
    """``von_mises`` and ``hydrostatic`` of tensors of shape (n, 3, 3), each of shape (n,)."""
    return {"von_mises": _compute_von_mises(stress), "hydrostatic": _compute_hydrostatic(stress)}


def compute_components(
    stress: FloatArray, tangent: FloatArray | None, *, principal: bool
) -> dict[str, FloatArray]:
    """Compute the scalars that depend on axes, by name, each of shape (n,), in a fixed order.

    Of symmetric tensors (n, 3, 3): the stresses in the frame of a wire with tangents (n, 3), which
    None leaves out, and, if wanted, the principal ones, the largest (most tensile) first.
    """
    scalars = {} if tangent is None else _compute_wire_stress(stress, tangent)
    if principal:
        values = _compute_principal(stress)
        scalars |= {f"principal_{i + 1}": values[:, i] for i in range(3)}
    return scalars


def name_scalars(*, in_wire_frame: bool, principal: bool) -> tuple[str, ...]:
    """Names of what `compute_invariants` and `compute_components` give, in their order."""
    none = np.zeros((0, 3, 3))
    tangent = np.zeros((0, 3)) if in_wire_frame else None
    components = compute_components(none, tangent, principal=principal)
    return (*compute_invariants(none), *components)


def compute_percentiles(
    values: FloatArray, weights: FloatArray, levels: Sequence[float]
) -> FloatArray:
    """Weighted percentiles, in per cent: the value below which a share of the weight lies.

    Half a value's own weight counts as below it, and between values the percentile is linear: were
    it to jump, round-off in the weights could make it differ between runs. Values and positive
    weights have the shape (n,), levels and percentiles (levels,).
    """
    order = np.argsort(values, kind="stable")
    heights = weights[order]
    below = np.cumsum(heights) - heights / 2
    return np.interp(np.asarray(levels) / 100 * heights.sum(), below, values[order])

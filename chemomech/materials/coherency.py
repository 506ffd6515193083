"""The elastic energy of composition waves in a crystal, by the direction of their normal."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from chemomech.arrays import FloatArray
from chemomech.errors import InputError

_ROOT = math.sqrt(2.0)
_PAIRS = ((0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1))
_FACTORS = np.array([1.0, 1.0, 1.0, _ROOT, _ROOT, _ROOT])


def compute_coherency_energy(
    stiffness: ArrayLike, expansion: ArrayLike, normals: ArrayLike
) -> FloatArray:
    r"""B(n) = E : C : E - n . s . (n . C . n)^-1 . s . n, with s = C : E.

    A coherent wave of normal n and of the composition dc about its mean costs B(n) dc^2 / 2 per
    volume: it is held in its plane and strains along n as it likes. In a large crystal such waves
    grow as if chi were chi - B(n) / (2 R T C), and walls lie where B is least. Of an isotropic law
    B = 2 Y eta^2 / (1 - nu) for all n, with Young's modulus Y.

    Args:
        stiffness: C, Mandel matrix, shape (6, 6), such as that of `create_orthotropic_stiffness`.
        expansion: E, the eigenstrain per unit of c, symmetric, shape (3, 3), in the same axes.
        normals: Directions n in the same axes, of any length, shape (..., 3).

    Returns:
        B for each normal, shape (...), in the unit of C.

    Raises:
        InputError: A shape is another, E is not symmetric, or a normal has no direction.
    """
    matrix = np.asarray(stiffness, dtype=np.float64)
    tensor = np.asarray(expansion, dtype=np.float64)
    n = np.asarray(normals, dtype=np.float64)
    _require(matrix.shape == (6, 6), "stiffness", "a Mandel matrix of the shape (6, 6)", matrix)
    symmetric = tensor.shape == (3, 3) and np.allclose(tensor, tensor.T, rtol=1e-10, atol=0.0)
    _require(symmetric, "expansion", "symmetric, of the shape (3, 3)", tensor)
    _require(n.shape[-1:] == (3,), "normals", "of the shape (..., 3)", n)
    _require(bool(n.any(axis=-1).all()), "normals", "of any length but zero", n)
    n = n / np.linalg.norm(n, axis=-1, keepdims=True)
    strain = _FACTORS * np.array([tensor[pair] for pair in _PAIRS])
    stress = matrix @ strain
    # Mandel components of sym(a n) for the unit vectors a, shape (..., 3, 6).
    shears = np.zeros((*n.shape, 6))
    for index, (i, j) in enumerate(_PAIRS):
        shears[..., i, index] += 0.5 * _FACTORS[index] * n[..., j]
        shears[..., j, index] += 0.5 * _FACTORS[index] * n[..., i]
    acoustic = shears @ matrix @ np.swapaxes(shears, -1, -2)
    traction = shears @ stress
    relief = np.linalg.solve(acoustic, traction[..., None])[..., 0]
    energy: FloatArray = strain @ stress - (traction * relief).sum(axis=-1)
    return energy


def _require(is_right: bool, key: str, what: str, value: FloatArray) -> None:
    if not is_right:
        raise InputError(f"must be {what}, got the shape {value.shape}", key=key)

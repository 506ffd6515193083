"""Presets of the linear solver: PETSc options, and which preset suits which system."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

PetscOptions = Mapping[str, str | float | int | bool]

DIRECT: PetscOptions = {
    "ksp_type": "fgmres",
    "ksp_rtol": 1e-10,
    "ksp_max_it": 30,
    "pc_type": "lu",
    "pc_factor_mat_solver_type": "mumps",
    # Order and permute by the pattern alone, by a method without random numbers, and scale at each
    # factorisation: what the first matrix of a process happens to be, and what it has done before,
    # then decide nothing, and a restarted run goes on to the last bit.
    "mat_mumps_icntl_6": 0,
    "mat_mumps_icntl_7": 5,
    "mat_mumps_icntl_8": 7,
}

KRYLOV: PetscOptions = {
    "ksp_type": "fgmres",
    "ksp_rtol": 1e-2,
    "ksp_max_it": 300,
    "ksp_gmres_restart": 60,
}
CHEMISTRY_ALONE: PetscOptions = {**KRYLOV, "pc_type": "python"}
FIELDSPLIT: PetscOptions = {
    **KRYLOV,
    "pc_type": "fieldsplit",
    "pc_fieldsplit_type": "multiplicative",
}
#: Beside others, u.
MECHANICS: PetscOptions = {
    "ksp_type": "preonly",
    # Built when told to: most elastic blocks never change, which PETSc cannot see through the nest.
    "ksp_reuse_preconditioner": True,
}
#: Beside mechanics, c and mu.
CHEMISTRY: PetscOptions = {"ksp_type": "preonly", "pc_type": "python"}
#: Fields of which no operator is stated.
OTHER: PetscOptions = {
    "ksp_type": "preonly",
    "pc_type": "lu",
    "pc_factor_mat_solver_type": "mumps",
}

#: In 3-D, coarser grids with fewer couplings: a sixth off their set-up and cycles.
CHEMISTRY_3D: PetscOptions = {
    f"{factor}_pc_hypre_boomeramg_{name}": value
    for factor in ("diffusion", "curvature")
    for name, value in (("coarsen_type", "HMIS"), ("interp_type", "ext+i"))
}

#: In 2-D the constant elastic block is factorised once; in 3-D that would not fit.
MECHANICS_2D: PetscOptions = {
    "pc_type": "cholesky",
    "pc_factor_mat_solver_type": "mumps",
}
MECHANICS_3D: PetscOptions = {
    "pc_type": "gamg",
    "mg_levels_ksp_type": "chebyshev",
    "mg_levels_pc_type": "pbjacobi",
    # Weak couplings left out: a quarter fewer Krylov iterations than with all of them.
    "pc_gamg_threshold": 0.02,
}
#: The one unknown of generalised plane strain, and that of the reservoir.
UNIFORM: PetscOptions = {
    "ksp_type": "preonly",
    "pc_type": "jacobi",
}


class Preset(StrEnum):
    """Choice of linear solver."""

    DIRECT = "direct"
    ITERATIVE = "iterative"


#: Unknowns from which on the iterative preset is the faster one, by dimension of the mesh.
_CROSSOVER = {2: 5_000, 3: 2_000}


def choose_preset(unknowns: int, dimension: int) -> Preset:
    """Choose what is faster: factorising everything, or iterating on its blocks."""
    return Preset.ITERATIVE if unknowns >= _CROSSOVER[dimension] else Preset.DIRECT

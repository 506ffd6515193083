"""Linear solvers for the Newton step of a block system, a class for each preset."""

from __future__ import annotations

from typing import Protocol, cast

from petsc4py import PETSc

from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.cahn_hilliard_schur import FactoredSchur, FourthOrderProblem, SchurMemory
from chemomech.solvers.presets import (
    CHEMISTRY,
    CHEMISTRY_3D,
    CHEMISTRY_ALONE,
    DIRECT,
    FIELDSPLIT,
    KRYLOV,
    MECHANICS,
    MECHANICS_2D,
    MECHANICS_3D,
    UNIFORM,
    PetscOptions,
    Preset,
)

#: Diagonal shift, relative to its mean, that makes a free body's elastic matrix regular.
REGULARISATION = 1e-10


class LinearSolver(Protocol):
    """A preconditioning matrix, how to keep it up to date, and the options that go with it.

    Attributes:
        matrix: Matrix the preconditioner is built from.
        options: PETSc options of the preset.
    """

    matrix: PETSc.Mat
    options: PetscOptions

    def attach(self, ksp: PETSc.KSP) -> None:
        """Complete a KSP once its options are set."""

    @property
    def memory(self) -> SchurMemory | None:
        """What is kept from one solve to the next; None if nothing."""

    def recall(self, memory: SchurMemory | None) -> None:
        """Take over the memory of another solver of the same problem."""

    def recover(self, ksp: PETSc.KSP) -> None:
        """Forget what a failed linear solve has left, so that the next one is not spoilt by it."""

    def refresh(self, *, new_parameters: bool) -> None:
        """Bring ``matrix`` up to date after the Jacobian's blocks changed.

        Args:
            new_parameters: Whether those changed too that are otherwise constant.
        """

    def note(self, iterations: int) -> None:
        """Take notice of how many Krylov iterations a linear solve has needed."""


def create_linear_solver(system: BlockSystem, preset: Preset) -> LinearSolver:
    """Create the linear solver of a preset.

    A free body leaves the elastic block singular. The Krylov method is told the null space; the
    preconditioner sees the block with a tiny diagonal shift, so that it can be factorised and no
    node is pinned.

    Args:
        system: Block system.
        preset: ``direct`` (sparse LU of everything by MUMPS) or ``iterative`` (fieldsplit).
    """
    null_space = system.create_null_space()
    if null_space is not None:
        system.jacobian.setNullSpace(null_space)
    blocks = _RegularBlocks(system, is_singular=null_space is not None)
    return _Direct(blocks) if preset is Preset.DIRECT else _FieldSplit(system, blocks)


class _RegularBlocks:
    """The nested Jacobian with a regular elastic block, sharing all other blocks with it.

    Args:
        system: Block system.
        is_singular: Whether the elastic block is singular; else it is shared as well.

    Attributes:
        matrix: The nest.
    """

    def __init__(self, system: BlockSystem, *, is_singular: bool) -> None:
        self.matrix = system.jacobian
        self._is_singular = is_singular
        if not is_singular:
            return
        indices = range(len(system.sizes))
        blocks = [[system.jacobian.getNestSubMatrix(i, j) for j in indices] for i in indices]
        index = system.problem.displacement_block
        assert index is not None
        self._singular = blocks[index][index]
        self._regular = blocks[index][index] = self._singular.duplicate()
        self._shift()
        self.matrix = PETSc.Mat().createNest(blocks, comm=system.comm)
        self.matrix.setUp()
        self.matrix.assemble()

    def refresh(self, *, new_parameters: bool) -> None:
        """Bring the nest up to date after the Jacobian's blocks changed."""
        if self._is_singular and new_parameters:
            self._shift()
        self.matrix.assemble()

    def _shift(self) -> None:
        self._singular.copy(self._regular, structure=PETSc.Mat.Structure.SAME_NONZERO_PATTERN)
        diagonal = self._singular.getDiagonal()
        self._regular.shift(REGULARISATION * diagonal.sum() / diagonal.getSize())


class _Direct:
    """Sparse LU of the whole system, polished by an iteration or two of FGMRES."""

    options = DIRECT
    memory = None

    def __init__(self, blocks: _RegularBlocks) -> None:
        self._blocks = blocks
        self.matrix = PETSc.Mat()
        blocks.matrix.convert("aij", self.matrix)

    def attach(self, ksp: PETSc.KSP) -> None:
        """Nothing to complete."""

    def recall(self, memory: SchurMemory | None) -> None:
        """Nothing to take over."""

    def recover(self, ksp: PETSc.KSP) -> None:
        """Let the matrix be analysed anew: PETSc skips all factorisations after one that failed."""
        ksp.pc.reset()

    def note(self, iterations: int) -> None:
        """Nothing to learn: they are always few."""

    def refresh(self, *, new_parameters: bool) -> None:
        """Copy the blocks into the flat matrix."""
        self._blocks.refresh(new_parameters=new_parameters)
        self._blocks.matrix.convert("aij", self.matrix)


class _FieldSplit:
    """Multiplicative fieldsplit: (c, mu), then u, then what is uniform, as far as they exist."""

    def __init__(self, system: BlockSystem, blocks: _RegularBlocks) -> None:
        self._system = system
        self._blocks = blocks
        self._mechanics: PETSc.PC | None = None
        self._chemistry: FactoredSchur | None = None
        self._splits = _name_splits(system)
        self.options = self._choose_options()
        index = system.problem.displacement_block
        if index is not None:
            elastic = blocks.matrix.getNestSubMatrix(index, index)
            elastic.setNearNullSpace(system.create_near_null_space())
        # A factorisation or multigrid of u alone does not know what to do with a nest of one.
        self.matrix = elastic if [*self._splits] == ["mechanics"] else blocks.matrix

    def attach(self, ksp: PETSc.KSP) -> None:
        """Name the splits and hand the chemical one its preconditioner."""
        ksp.setOperators(self._system.jacobian, self.matrix)
        chemistry = ksp.pc
        if len(self._splits) > 1 and ksp.pc.getType() == "fieldsplit":
            parts = dict(zip(self._splits, self._split(ksp), strict=True))
            chemistry = parts.get("chemistry", ksp.pc)
            self._mechanics = parts.get("mechanics")
        if "chemistry" in self._splits and chemistry.getType() == "python":
            mobility, curvature = (self.matrix.getNestSubMatrix(*at) for at in ((0, 1), (1, 0)))
            problem = cast(FourthOrderProblem, self._system.problem)
            prefix = ksp.getOptionsPrefix()
            self._chemistry = FactoredSchur(problem, mobility, curvature, prefix)
            chemistry.setPythonContext(self._chemistry)

    @property
    def memory(self) -> SchurMemory | None:
        """What the chemical multigrid was last built from."""
        return None if self._chemistry is None else self._chemistry.memory

    def recall(self, memory: SchurMemory | None) -> None:
        """Build the chemical multigrid from what another solver has built it from."""
        if self._chemistry is None or memory is None:
            return
        composition = self._system.problem.unknowns[0].x.array
        present = composition.copy()
        composition[:] = memory.composition
        self._system.assemble_jacobian()
        self._chemistry.build(memory)
        composition[:] = present

    def recover(self, ksp: PETSc.KSP) -> None:
        """Let the chemical multigrid be built anew: it may have been the reason."""
        if self._chemistry is not None:
            self._chemistry.memory = None

    def note(self, iterations: int) -> None:
        """Pass it on to the chemical part, the only one that grows old."""
        if self._chemistry is not None:
            self._chemistry.note(iterations)

    def refresh(self, *, new_parameters: bool) -> None:
        """Tell the nest that its blocks, and the chemical part that the step changed."""
        self._blocks.refresh(new_parameters=new_parameters)
        if self._mechanics is not None and new_parameters:
            # Its preconditioner is kept otherwise: see the preset.
            self._mechanics.setReusePreconditioner(False)
            self._mechanics.setUp()
            self._mechanics.setReusePreconditioner(True)
        if self._chemistry is not None:
            self._chemistry.refresh()

    def _choose_options(self) -> PetscOptions:
        three = self._system.problem.unknowns[0].function_space.mesh.geometry.dim == 3
        mechanics = MECHANICS_3D if three else MECHANICS_2D
        chemistry = CHEMISTRY_3D if three else {}
        match [*self._splits]:
            case ["chemistry"]:
                return {**CHEMISTRY_ALONE, **chemistry}
            case ["mechanics"]:
                prefix = "fieldsplit_mechanics_"
                return {**KRYLOV, **{k.removeprefix(prefix): v for k, v in mechanics.items()}}
        options = dict(FIELDSPLIT)
        parts = {
            "chemistry": {**CHEMISTRY, **chemistry},
            "mechanics": {**MECHANICS, **mechanics},
            "uniform": UNIFORM,
        }
        for name, own in parts.items():
            options.update(own if name in self._splits else {})
        if {"chemistry", "uniform"} <= self._splits.keys():
            # Uniform unknowns answer to sums over all others, which must be known better.
            options["ksp_rtol"] = 1e-4
        return options

    def _split(self, ksp: PETSc.KSP) -> list[PETSc.PC]:
        """Name the splits; return the preconditioner of each."""
        rows = self.matrix.getNestISs()[0]
        fields = []
        for name, indices in self._splits.items():
            first, *rest = (rows[index] for index in indices)
            fields.append((name, first.union(rest[0]) if rest else first))
        ksp.pc.setFieldSplitIS(*fields)
        ksp.pc.setUp()
        return [part.pc for part in ksp.pc.getFieldSplitSubKSP()]


def _name_splits(system: BlockSystem) -> dict[str, tuple[int, ...]]:
    """The blocks of each split by its name, in the order they are solved."""
    index, uniform = system.problem.displacement_block, tuple(system.problem.uniform_blocks)
    mechanics = () if index is None else (index,)
    blocks = range(len(system.sizes))
    splits = {
        "chemistry": tuple(i for i in blocks if i not in (*mechanics, *uniform)),
        "mechanics": mechanics,
        "uniform": uniform,
    }
    return {name: indices for name, indices in splits.items() if indices}

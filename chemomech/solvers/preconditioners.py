"""Linear solvers for the Newton step of a block system, a class for each preset."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from petsc4py import PETSc

from chemomech.forms.fields import Elastic, Field, FourthOrder, Operator, Uniform
from chemomech.solvers.block_system import BlockSystem
from chemomech.solvers.cahn_hilliard_schur import FactoredSchur, SolverMemory
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
    OTHER,
    UNIFORM,
    PetscOptions,
    Preset,
)

#: Diagonal shift, relative to its mean, that makes a free body's elastic matrix regular.
_REGULARISATION = 1e-10

#: Splits by what is in them, as the names of PETSc's options have them.
_CHEMISTRY, _MECHANICS, _UNIFORM = "chemistry", "mechanics", "uniform"


def create_linear_solver(system: BlockSystem, preset: Preset) -> _LinearSolver:
    """Create the linear solver of a preset.

    A free body leaves the elastic block singular. The Krylov method is told the null space; the
    preconditioner sees the block with a tiny diagonal shift, so that it can be factorised and no
    node is pinned.
    """
    null_space = system.create_null_space()
    if null_space is not None:
        system.jacobian.setNullSpace(null_space)
    blocks = _RegularBlocks(system)
    return _Direct(blocks) if preset is Preset.DIRECT else _FieldSplit(system, blocks)


class _RegularBlocks:
    """The nested Jacobian with regular elastic blocks, sharing all other blocks with it.

    Attributes:
        matrix: The nest.
    """

    def __init__(self, system: BlockSystem) -> None:
        self.matrix = system.jacobian
        floating = [index for index, _ in system.free_motions]
        self._are_constant = all(system.is_constant(index) for index in floating)
        self._pairs: list[tuple[PETSc.Mat, PETSc.Mat]] = []
        if not floating:
            return
        indices = range(len(system.sizes))
        blocks = [[system.jacobian.getNestSubMatrix(i, j) for j in indices] for i in indices]
        for index in floating:
            singular = blocks[index][index]
            blocks[index][index] = singular.duplicate()
            self._pairs.append((singular, blocks[index][index]))
        self._shift()
        self.matrix = PETSc.Mat().createNest(blocks, comm=system.comm)
        self.matrix.setUp()
        self.matrix.assemble()

    def refresh(self, *, new_parameters: bool) -> None:
        """Bring the nest up to date after the Jacobian's blocks changed."""
        if new_parameters or not self._are_constant:
            self._shift()
        self.matrix.assemble()

    def close(self) -> None:
        """Free the nest and what is not the Jacobian's in it; collective."""
        if self._pairs:
            self.matrix.destroy()
        for pair in self._pairs:
            for matrix in pair:
                matrix.destroy()

    def _shift(self) -> None:
        for singular, regular in self._pairs:
            singular.copy(regular, structure=PETSc.Mat.Structure.SAME_NONZERO_PATTERN)
            diagonal = singular.getDiagonal()
            regular.shift(_REGULARISATION * diagonal.sum() / diagonal.getSize())


class _LinearSolver:
    """A preconditioning matrix, how to keep it up to date, and the options that go with it.

    Attributes:
        matrix: Matrix the preconditioner is built from.
        options: PETSc options of the preset.
    """

    matrix: PETSc.Mat
    options: PetscOptions

    def __init__(self, blocks: _RegularBlocks) -> None:
        self._blocks = blocks

    @property
    def memory(self) -> SolverMemory:
        """Memory from one solve to the next, by part of the solver; by default nothing is kept."""
        return {}

    def attach(self, ksp: PETSc.KSP) -> None:
        """Complete a KSP once its options are set."""

    def recall(self, memory: SolverMemory) -> None:
        """Take over the memory of another solver of the same problem."""

    def recover(self, ksp: PETSc.KSP) -> None:
        """Forget what a failed linear solve has left, so that the next one is not spoilt by it."""

    def refresh(self, *, new_parameters: bool) -> None:
        """Bring ``matrix`` up to date after blocks changed: with new parameters all of them."""
        self._blocks.refresh(new_parameters=new_parameters)

    def note(self, iterations: int) -> None:
        """Take notice of how many Krylov iterations a linear solve has needed."""

    def close(self) -> None:
        """Free what the Jacobian does not own; collective."""
        self._blocks.close()


class _Direct(_LinearSolver):
    """Sparse LU of the whole system, polished by an iteration or two of FGMRES."""

    options = DIRECT

    def __init__(self, blocks: _RegularBlocks) -> None:
        super().__init__(blocks)
        self.matrix = PETSc.Mat()
        blocks.matrix.convert("aij", self.matrix)

    def recover(self, ksp: PETSc.KSP) -> None:
        """Let the matrix be analysed anew: PETSc skips all factorisations after one that failed."""
        ksp.pc.reset()

    def refresh(self, *, new_parameters: bool) -> None:
        """Copy the blocks into the flat matrix."""
        super().refresh(new_parameters=new_parameters)
        self._blocks.matrix.convert("aij", self.matrix)

    def close(self) -> None:
        """Free the matrices."""
        self.matrix.destroy()
        super().close()


class _FieldSplit(_LinearSolver):
    """Multiplicative fieldsplit: pairs of fourth order, other fields, elasticity, uniform ones."""

    def __init__(self, system: BlockSystem, blocks: _RegularBlocks) -> None:
        super().__init__(blocks)
        self._system = system
        self._pairs: dict[str, FactoredSchur] = {}
        self._kept: dict[int, PETSc.PC] = {}
        self._splits = _name_splits(system)
        self.options = self._choose_options()
        for indices in self._splits.values():
            operator = system.fields[indices[0]].operator
            if isinstance(operator, Elastic):
                elastic = blocks.matrix.getNestSubMatrix(indices[0], indices[0])
                elastic.setNearNullSpace(_create_near_null_space(elastic, operator))
        # A factorisation or multigrid of u alone does not know what to do with a nest of one.
        self.matrix = elastic if [*self._splits] == [_MECHANICS] else blocks.matrix

    def attach(self, ksp: PETSc.KSP) -> None:
        """Name the splits and hand the pairs of fourth order their preconditioners."""
        ksp.setOperators(self._system.jacobian, self.matrix)
        parts = dict.fromkeys(self._splits, ksp.pc)
        if len(self._splits) > 1 and ksp.pc.getType() == "fieldsplit":
            parts = dict(zip(self._splits, self._split(ksp), strict=True))
            self._kept = {
                self._splits[name][0]: part
                for name, part in parts.items()
                if self._is(name, Elastic)
            }
        coefficient = self._system.problem.mass_coefficient
        for name, (first, *rest) in self._splits.items():
            operator = self._operator(name)
            if not isinstance(operator, FourthOrder) or parts[name].getType() != "python":
                continue
            assert coefficient is not None
            prefix = ksp.getOptionsPrefix() + ("" if name == _CHEMISTRY else f"{name}_")
            mobility, curvature = (
                self.matrix.getNestSubMatrix(*at) for at in ((first, rest[0]), (rest[0], first))
            )
            held = (
                self._system.find_held_rows(first, first),
                self._system.find_held_rows(first, rest[0]),
            )
            self._pairs[name] = FactoredSchur(
                operator, coefficient, mobility, curvature, prefix, held, first
            )
            parts[name].setPythonContext(self._pairs[name])

    @property
    def memory(self) -> SolverMemory:
        """State from which the multigrid of each pair was last built."""
        # Copies: each solver counts its own iterations.
        return {name: replace(pair.memory) for name, pair in self._pairs.items() if pair.memory}

    def recall(self, memory: SolverMemory) -> None:
        """Build each pair's multigrid from what another solver has built it from."""
        pairs = {pair: replace(memory[n]) for n, pair in self._pairs.items() if n in memory}
        present = [pair.composition.x.array.copy() for pair in pairs]
        for pair, built in pairs.items():
            pair.composition.x.array[:] = built.composition
        if pairs:
            self._system.assemble_jacobian()
            super().refresh(new_parameters=False)
            self._build_changing()
        for (pair, built), values in zip(pairs.items(), present, strict=True):
            pair.build(built)
            pair.composition.x.array[:] = values

    def recover(self, ksp: PETSc.KSP) -> None:
        """Let the multigrid of all pairs be built anew: it may have been the reason."""
        for pair in self._pairs.values():
            pair.memory = None

    def note(self, iterations: int) -> None:
        """Pass it on to the pairs, the only ones that grow old."""
        for pair in self._pairs.values():
            pair.note(iterations)

    def close(self) -> None:
        """Free the pairs' preconditioners and the nest."""
        for pair in self._pairs.values():
            pair.close()
        for part in self._kept.values():
            part.destroy()
        if self.matrix is not self._blocks.matrix:
            self.matrix.destroy()
        super().close()

    def refresh(self, *, new_parameters: bool) -> None:
        """Tell the nest that its blocks, and the pairs that the step changed."""
        super().refresh(new_parameters=new_parameters)
        if new_parameters:
            _build(self._kept.values())
        built = [pair.refresh() for pair in self._pairs.values()]
        if not new_parameters and (any(built) or not built):
            self._build_changing()

    def _build_changing(self) -> None:
        """Build anew the elastic preconditioners whose block changes with the state.

        They grow old as those of the pairs do, and are built from the same states.
        """
        _build(part for index, part in self._kept.items() if not self._system.is_constant(index))

    def _operator(self, name: str) -> Operator | None:
        return self._system.fields[self._splits[name][0]].operator

    def _is(self, name: str, kind: type) -> bool:
        return isinstance(self._operator(name), kind)

    def _choose_options(self) -> PetscOptions:
        three = self._system.dimension == 3
        mechanics = MECHANICS_3D if three else MECHANICS_2D
        match [*self._splits]:
            case [name] if name == _CHEMISTRY:
                return {**CHEMISTRY_ALONE, **(CHEMISTRY_3D if three else {})}
            case [name] if name == _MECHANICS:
                return {**KRYLOV, **mechanics}
        options = dict(FIELDSPLIT)
        for name in self._splits:
            options |= _prefix(f"fieldsplit_{name}_", self._choose_part(name, mechanics))
            if three and self._is(name, FourthOrder):
                options |= _prefix("" if name == _CHEMISTRY else f"{name}_", CHEMISTRY_3D)
        if _CHEMISTRY in self._splits and _UNIFORM in self._splits:
            # Uniform unknowns answer to sums over all others, which must be known better.
            options["ksp_rtol"] = 1e-4
        return options

    def _choose_part(self, name: str, mechanics: PetscOptions) -> PetscOptions:
        """Options of one split, without its prefix."""
        match self._operator(name):
            case FourthOrder():
                return CHEMISTRY
            case Elastic():
                return {**MECHANICS, **mechanics}
            case Uniform():
                return UNIFORM
        return OTHER

    def _split(self, ksp: PETSc.KSP) -> list[PETSc.PC]:
        """Name the splits; return the preconditioner of each."""
        rows = self.matrix.getNestISs()[0]
        fields = []
        for name, (first, *rest) in self._splits.items():
            indices = rows[first]
            for index in rest:
                indices = indices.union(rows[index])
            fields.append((name, indices))
        ksp.pc.setFieldSplitIS(*fields)
        ksp.pc.setUp()
        return [part.pc for part in ksp.pc.getFieldSplitSubKSP()]


def _build(parts: Iterable[PETSc.PC]) -> None:
    """Build preconditioners that the preset keeps, from nothing but their present matrices."""
    for part in parts:
        matrices = part.getOperators()
        part.reset()
        part.setOperators(*matrices)
        part.setReusePreconditioner(False)
        part.setUp()
        part.setReusePreconditioner(True)


def _name_splits(system: BlockSystem) -> dict[str, tuple[int, ...]]:
    """The blocks of each split by its name, in the order they are solved."""
    groups: dict[object, list[int]] = {}
    for index, field in enumerate(system.fields):
        kind: object = field.operator or field
        groups.setdefault(Uniform if field.is_uniform else kind, []).append(index)
    order = {FourthOrder: 0, Field: 1, Elastic: 2, type: 3}
    names = {FourthOrder: _CHEMISTRY, Elastic: _MECHANICS, type: _UNIFORM}
    splits: dict[str, tuple[int, ...]] = {}
    for key in sorted(groups, key=lambda key: order[type(key)]):
        indices = groups[key]
        name = names.get(type(key), system.fields[indices[0]].name)
        if name in splits:
            name = f"{name}_{system.fields[indices[0]].name}"
        splits[name] = tuple(indices)
    return splits


def _create_near_null_space(matrix: PETSc.Mat, operator: Elastic) -> PETSc.NullSpace:
    """All rigid motions, for algebraic multigrid."""
    vectors = []
    for motion in operator.find_motions():
        vector = matrix.createVecRight()
        vector.array_w[:] = motion
        vectors.append(vector)
    return PETSc.NullSpace().create(vectors=vectors, comm=matrix.comm)


def _prefix(prefix: str, options: PetscOptions) -> PetscOptions:
    return {f"{prefix}{name}": value for name, value in options.items()}

"""Thermal noise in the flux of lithium (Cook 1970), which lets metastable particles nucleate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import ufl
from dolfinx import fem
from dolfinx.mesh import Mesh
from numpy.typing import NDArray
from ufl.core.expr import Expr
from ufl.form import Form

from chemomech.geometry.measures import WeightedMeasure
from chemomech.materials.mobility import Mobility, Strains
from chemomech.materials.scalars import Scalar
from chemomech.problems.process import SourceProcess

# Root of a mobility below which there is none.
_SMALLEST = 1e-150


@dataclass(frozen=True)
class NoiseLaw:
    """Strength of thermal noise.

    Args:
        sites: N: lithium sites in a unit of area (2-D) or of volume (3-D) of the mesh.
        strength: Factor of xi; one for the noise that temperature causes.
    """

    sites: float
    strength: Scalar = 1.0


class ThermalNoise(SourceProcess):
    r"""dc/dt = div(M grad mu + xi),  <xi_i(x,t) xi_j(x',t')> = (2 M_ij / N) d(x-x') d(t-t').

    N is the number of lithium sites per volume: the noise that belongs to M by the
    fluctuation-dissipation theorem (M_ij = M d_ij where M is no tensor). In space xi is constant on
    cells, in time on intervals, so that its variance is 2 M / (N V dt) with V the cell's volume and
    dt the interval's length: for all that is slower than an interval this is white noise, and it
    does not depend on the steps a solver takes. Nothing of it passes the surface, so lithium is
    conserved exactly.

    Which numbers are drawn depends on the seed, the interval and the cell's number in the mesh's
    input alone: they are the same for any number of ranks, and after a restart.

    Args:
        c: Composition; M is taken at the composition with which an interval begins.
        mobility: M(c, e).
        law: Its strength.
        dx: Volume measure.
        strains: Those of the present state, as fields that no derivative sees.
    """

    def __init__(
        self,
        c: fem.Function,
        mobility: Mobility,
        law: NoiseLaw,
        dx: WeightedMeasure,
        strains: Strains | None = None,
    ) -> None:
        mesh = c.function_space.mesh
        self._c = c
        self._law = law
        self._dx = dx
        self._start = fem.Function(c.function_space, name="noise_start")
        vectors = fem.functionspace(mesh, ("DG", 0, (mesh.geometry.dim,)))
        self._normals = fem.Function(vectors, name="noise")
        self._mobility, self._strains = mobility, strains
        self._count = mesh.topology.index_map(mesh.topology.dim).size_global
        # One dof a cell, not always in the order of the cells; both spaces number them alike.
        dofs = vectors.dofmap.list[:, 0]
        self._cells = np.empty(len(dofs), dtype=np.int64)
        self._cells[dofs] = mesh.topology.original_cell_index
        self._volumes = _compute_cell_volumes(mesh)

    def draw(self, seed: int, interval: int, length: float) -> None:
        """Draw the noise of an interval that begins now.

        Intervals are numbered from 0, and ``length`` is in the problem's unit of time.
        """
        self._start.x.array[:] = self._c.x.array
        self.resume(seed, interval, length)

    def resume(self, seed: int, interval: int, length: float) -> None:
        """Draw again the noise of an interval whose :attr:`start` is known; see :meth:`draw`."""
        dimension = self._c.function_space.mesh.geometry.dim
        generator = np.random.default_rng([seed, interval])
        normals = generator.standard_normal((self._count, dimension))[self._cells]
        normals *= np.sqrt(2.0 / (self._law.sites * length * self._volumes))[:, None]
        self._normals.x.array[:] = normals.ravel()

    @property
    def start(self) -> fem.Function:
        """Composition with which the present interval began: part of what determines the future."""
        return self._start

    def add_to(self, field: str, test: Expr) -> Form | None:
        """Return (xi, grad q) for the equation of c."""
        if field != "c":
            return None
        root = _take_root(ufl.as_ufl(self._mobility.value(self._start, self._strains)))
        strength, gradient = self._law.strength, ufl.grad(test)
        if not root.ufl_shape:
            return strength * root * ufl.dot(self._normals, gradient) * self._dx
        return strength * ufl.dot(root * self._normals, gradient) * self._dx


def _take_root(mobility: Expr) -> Expr:
    """B with B B^T = M: the square root of a scalar, Cholesky's lower factor of a tensor."""
    if not mobility.ufl_shape:
        return ufl.as_ufl(ufl.sqrt(mobility))  # of a plain number UFL makes another one
    size = mobility.ufl_shape[0]
    root: list[list[Expr]] = [[ufl.as_ufl(0.0)] * size for _ in range(size)]
    for row in range(size):
        for column in range(row + 1):
            rest = mobility[row, column]
            for before in range(column):
                rest -= root[row][before] * root[column][before]
            if row == column:
                root[row][column] = ufl.sqrt(rest)
            else:
                # Where nothing moves, as before the first interval begins, there is no noise.
                root[row][column] = rest / ufl.max_value(root[column][column], _SMALLEST)
    return ufl.as_matrix(root)


def _compute_cell_volumes(mesh: Mesh) -> NDArray[np.float64]:
    """Volume of each cell of this rank, ghosts included, by dof of a scalar DG0 space."""
    space = fem.functionspace(mesh, ("DG", 0))
    volumes = fem.assemble_vector(fem.form(ufl.TestFunction(space) * ufl.dx))
    volumes.scatter_forward()
    return volumes.array.astype(np.float64)

"""Unit cells of phases: molar volumes, partial molar volumes and the strain from cell to cell."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.constants import Avogadro

from chemomech.arrays import FloatArray
from chemomech.errors import InputError, naming
from chemomech.materials.tabulated_eigenstrain import TabulatedEigenstrain
from chemomech.text_files import read_text

_LENGTHS = {"angstrom": 1e-10, "nm": 1e-9}
_ANGLES = ("alpha_deg", "beta_deg", "gamma_deg")
_RIGHT = math.pi / 2
_CUBIC_ANGSTROM = 1e-30


@dataclass(frozen=True)
class LatticePhase:
    """The unit cell of one phase.

    The cell is drawn with a along x and b in the plane of x and y; cells of right angles have their
    edges along x, y and z.

    Args:
        name: Name of the phase.
        x: Lithium per formula unit.
        a, b, c: Edges in m.
        formula_units: Number Z of formula units in the cell.
        alpha, beta, gamma: Angles between b and c, a and c, a and b, in rad.

    Raises:
        InputError: An edge or Z is not positive, or the angles make no cell.
    """

    name: str
    x: float
    a: float
    b: float
    c: float
    formula_units: int
    alpha: float = _RIGHT
    beta: float = _RIGHT
    gamma: float = _RIGHT

    def __post_init__(self) -> None:
        if not math.isfinite(self.x):
            raise InputError(f"{self.name}: the lithium content must be finite, got {self.x:g}")
        edges = (self.a, self.b, self.c)
        if not all(math.isfinite(edge) and edge > 0.0 for edge in edges):
            raise InputError(f"{self.name}: edges must be positive (m), got {edges}")
        if self.formula_units < 1:
            raise InputError(
                f"{self.name}: a cell holds at least one formula unit, got {self.formula_units}"
            )
        angles = np.array([self.alpha, self.beta, self.gamma])
        if not (np.isfinite(angles).all() and angles.min() > 0.0 and angles.max() < math.pi):
            raise InputError(f"{self.name}: angles must lie between 0 and pi (rad)")
        if self._squared_volume() <= 0.0:
            raise InputError(f"{self.name}: no cell has these three angles: it would be flat")

    @property
    def vectors(self) -> FloatArray:
        """Edges as columns, in m, shape (3, 3), upper triangular."""
        cos_a, cos_b, cos_g = np.cos([self.alpha, self.beta, self.gamma])
        sin_g = math.sin(self.gamma)
        across = (cos_a - cos_b * cos_g) / sin_g
        columns = [
            [1.0, cos_g, cos_b],
            [0.0, sin_g, across],
            [0.0, 0.0, math.sqrt(self._squared_volume()) / sin_g],
        ]
        return np.array(columns) * np.array([self.a, self.b, self.c])

    @property
    def molar_volume(self) -> float:
        """Volume N_A V_cell / Z of one mole of formula units, in m^3/mol."""
        volume = self.a * self.b * self.c * math.sqrt(self._squared_volume())
        return Avogadro * volume / self.formula_units

    def eigenstrain(self, reference: LatticePhase) -> FloatArray:
        """Compute the strain U - I, U^2 = F^T F, that turns the cell of ``reference`` into this.

        F maps the edges of the one cell to those of the other; the rotation in it makes no strain
        and is left out. For right angles the result is diag(a / a_ref - 1, b / b_ref - 1, ...),
        positive for edges that grow.

        Args:
            reference: The unstrained phase, with edges in the same order.

        Returns:
            Symmetric tensor, shape (3, 3), in the axes of the reference cell.

        Raises:
            InputError: The cells hold different numbers of formula units.
        """
        if self.formula_units != reference.formula_units:
            raise InputError(
                f"the cells of {self.name} (Z = {self.formula_units}) and {reference.name} "
                f"(Z = {reference.formula_units}) do not correspond; halve a doubled edge, and Z "
                "with it"
            )
        gradient = self.vectors @ np.linalg.inv(reference.vectors)
        squares, axes = np.linalg.eigh(gradient.T @ gradient)
        stretch = (axes * np.sqrt(squares)) @ axes.T
        return np.asarray(stretch - np.eye(3))

    def _squared_volume(self) -> float:
        """Compute the squared volume of a cell with these angles and edges of one."""
        cos_a, cos_b, cos_g = np.cos([self.alpha, self.beta, self.gamma])
        return float(1.0 - cos_a**2 - cos_b**2 - cos_g**2 + 2.0 * cos_a * cos_b * cos_g)


def compute_partial_molar_volumes(phases: Sequence[LatticePhase]) -> FloatArray:
    """Compute Omega = dV/dx (m^3 per mole of Li) between neighbouring phases, by the lever rule.

    Args:
        phases: At least two, by rising lithium content.

    Raises:
        InputError: There are fewer than two phases, or their contents do not rise.
    """
    _check_order(phases)
    volumes = [phase.molar_volume for phase in phases]
    return np.diff(volumes) / np.diff([phase.x for phase in phases])


def create_lattice_eigenstrain(
    phases: Sequence[LatticePhase], reference: float, axes: str, *, transition: float = 0.0
) -> TabulatedEigenstrain:
    """Create e*(x) that is each phase's own lattice strain at its x and linear between them.

    The strains are taken relative to the first phase. For another reference they are shifted by a
    constant, which neglects products of strains, as small strains do everywhere.

    Args:
        phases: At least two, by rising lithium content; edges in the same order, and the same
            number of formula units in each cell.
        reference: Lithium content x of the stress-free state.
        axes: Which edges lie along the wire, across it and out of the plane of the image, as a
            word: ``bca`` for b along the wire. Natural V2O5 grows along its short edge of 3.56 A,
            which is b in the standard setting Pmmn and c in the older Pmnm. In a skewed cell the
            letters stand for the x, y and z it is drawn in.
        transition: As in `TabulatedEigenstrain`.

    Returns:
        The law, in the wire's frame; its compositions are Li per formula unit.

    Raises:
        InputError: There are fewer than two phases, their contents do not rise, their cells do not
            correspond, or ``axes`` does not name each edge once.
    """
    _check_order(phases)
    if sorted(axes) != ["a", "b", "c"]:
        raise InputError(f"must name each of the edges a, b and c once, got {axes!r}", key="axes")
    order = ["abc".index(edge) for edge in axes]
    strains = np.array([phase.eigenstrain(phases[0]) for phase in phases])
    turned = strains[:, order][:, :, order]
    contents = np.array([phase.x for phase in phases])
    return TabulatedEigenstrain(contents, turned, reference, transition=transition)


def create_v2o5_volumes() -> tuple[FloatArray, FloatArray]:
    """Create a table of the molar volumes of Li_xV2O5 at seven x, pieced together from print.

    x = 0: cell 11.512 x 3.564 x 4.368 A with Z = 2, alpha-V2O5 (public structure files). 0.1 and
    0.4: concentrations of 1850 and 7260 mol/m^3 in public scripts that map images of Li_xV2O5 to
    meshes. 0.3: 1.66 % more than at 0.1. 0.9 and 1: 12.8 % more than alpha-V2O5, which the source
    paper (doi:10.1039/d0mh01240h) says delta "approaches", and no swelling within delta, since none
    is reported. 0.7: the line from 0.3 to 0.4 drawn on, to the end of epsilon; the weakest figure.

    Cells of epsilon and delta that could be traced to a source were not at hand. Give your own to
    `read_phases`.

    Returns:
        Li per formula unit, shape (7,), and volumes in m^3 per mole of V2O5, shape (7,).
    """
    empty = 11.512 * 3.564 * 4.368 / 2 * _CUBIC_ANGSTROM * Avogadro
    dilute, medium = 0.1 / 1850.0, 0.4 / 7260.0
    early = 1.0166 * dilute
    late = medium + 3.0 * (medium - early)
    full = 1.128 * empty
    return (
        np.array([0.0, 0.1, 0.3, 0.4, 0.7, 0.9, 1.0]),
        np.array([empty, dilute, early, medium, late, full, full]),
    )


def read_phases(path: Path | str) -> list[LatticePhase]:
    """Read unit cells from a CSV file, one phase a line, and sort them by lithium content.

    The header is ``name,x,a_angstrom,b_angstrom,c_angstrom,formula_units``, in any order, with
    ``a_nm`` and so on for nm; ``alpha_deg``, ``beta_deg`` and ``gamma_deg`` may follow and are 90
    where the column or the entry is missing. Empty lines and lines that begin with # are passed
    over.

    Raises:
        InputError: The file is missing, is no text or holds no phase, the header lacks a column or
            names an unknown one, or a line cannot be used.
    """
    rows = _read_rows(Path(path))
    if not rows:
        raise InputError("the file is empty", path=str(path))
    header = [word.strip() for word in rows[0][1]]
    with naming(path=path):
        unit = _find_unit(header)
    phases = [_parse(header, words, unit, line, str(path)) for line, words in rows[1:]]
    if not phases:
        raise InputError("has a header, but no phase", path=str(path))
    return sorted(phases, key=lambda phase: phase.x)


def _read_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Read the lines that hold something, with their numbers from 1."""
    try:
        reader = csv.reader(read_text(path).splitlines(keepends=True))
        rows = [(reader.line_num, words) for words in reader]
    except csv.Error as error:
        raise InputError(f"cannot be read as a table: {error}", path=str(path)) from error
    return [
        (number, words)
        for number, words in rows
        if any(word.strip() for word in words) and not words[0].lstrip().startswith("#")
    ]


def _find_unit(header: list[str]) -> str:
    """Find the unit of the edges; refuse a header that does not name what a cell needs."""
    unit = "nm" if "a_nm" in header else "angstrom"
    needed = {"name", "x", "formula_units", *(f"{edge}_{unit}" for edge in "abc")}
    missing, unknown = needed - set(header), set(header) - needed - set(_ANGLES)
    if missing or unknown or len(set(header)) != len(header):
        raise InputError(
            f"the header must be name,x,a_{unit},b_{unit},c_{unit},formula_units and perhaps "
            f"{','.join(_ANGLES)} (edges in nm or angstrom, all alike), got {','.join(header)}"
        )
    return unit


def _parse(header: list[str], words: list[str], unit: str, line: int, path: str) -> LatticePhase:
    where = f"line {line}"
    if len(words) != len(header):
        raise InputError(
            f"has {len(words)} entries under {len(header)} names", key=where, path=path
        )
    entries = {name: word.strip() for name, word in zip(header, words, strict=True)}
    try:
        a, b, c = (float(entries[f"{edge}_{unit}"]) * _LENGTHS[unit] for edge in "abc")
        alpha, beta, gamma = (math.radians(float(entries.get(name) or 90.0)) for name in _ANGLES)
        content, number = float(entries["x"]), int(entries["formula_units"])
    except ValueError as error:
        raise InputError(f"holds what is no number: {error}", key=where, path=path) from error
    with naming(key=where, path=path):
        return LatticePhase(entries["name"], content, a, b, c, number, alpha, beta, gamma)


def _check_order(phases: Sequence[LatticePhase]) -> None:
    contents = [phase.x for phase in phases]
    if len(contents) < 2 or np.diff(contents).min() <= 0.0:
        raise InputError(f"needs two or more phases by rising lithium content, got x = {contents}")

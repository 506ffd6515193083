"""Tables of a configuration become the laws they state."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from box import ELASTIC, create_tables
from dolfinx import mesh
from mpi4py import MPI

from chemomech.config import create_config
from chemomech.config.base import Section, list_sections
from chemomech.config.laws import eigenstrain as eig
from chemomech.config.laws.eigenstrain_tables import (
    LatticeEigenstrainConfig,
    PhaseEigenstrainConfig,
    VolumeEigenstrainConfig,
)
from chemomech.config.laws.elasticity import CubicConfig, IsotropicConfig, OrthotropicConfig
from chemomech.config.laws.law import LawConfig
from chemomech.config.laws.numbers import Numbers
from chemomech.errors import InputError
from chemomech.materials.elasticity import Assumption
from chemomech.materials.lattice import read_phases
from chemomech.materials.scalars import evaluate, evaluate_all
from chemomech.problems.parameters import Parameters

LATTICE = Path(__file__).resolve().parents[2] / "demos" / "fictitious_phases.csv"
YOUNG, POISSON = 43e9, 0.3
SHEAR = YOUNG / (2 * (1 + POISSON))
LAME = YOUNG * POISSON / ((1 + POISSON) * (1 - 2 * POISSON))
OMEGA, SITES = 2.415e-6, 18500.0
MOLAR = {"site_concentration": f"{SITES} mol/m^3"}
OMEGA_TEXT = f"{OMEGA} m^3/mol"


@pytest.mark.parametrize(
    "law",
    [
        IsotropicConfig(young_modulus="43 GPa", poisson_ratio=POISSON),
        CubicConfig(c11=f"{LAME + 2 * SHEAR} Pa", c12=f"{LAME} Pa", c44=f"{SHEAR} Pa"),
        OrthotropicConfig(
            young_moduli=["43 GPa"] * 3,
            poisson_ratios=[POISSON] * 3,
            shear_moduli=[f"{SHEAR} Pa"] * 3,
            frame="wire",
        ),
    ],
)
def test_three_ways_to_an_isotropic_solid(law):
    elasticity = law.create(tabulate(law), Assumption.THREE_DIMENSIONAL, 1e9)
    stiffness = evaluate_all(elasticity.stiffness)
    expected = np.diag([2 * SHEAR] * 6)
    expected[:3, :3] += LAME
    np.testing.assert_allclose(1e9 * stiffness, expected, rtol=1e-12, atol=1e-12 * YOUNG)


@dataclass(frozen=True)
class Measured:
    """Numbers that nobody else holds, and which may leave their place in memory to the next."""

    def stiffness(self):
        for i in range(6):
            yield (Fraction(10**11 if i == j else 10**8 * (i + j)) for j in range(6))


def test_each_number_of_a_stiffness_is_taken_as_it_is():
    mechanics = ELASTIC | {"elasticity": Measured()}
    law = create_config(create_tables(mechanics=mechanics)).mechanics.elasticity
    elasticity = law.create(Numbers(law), Assumption.THREE_DIMENSIONAL, 1e9)
    expected = [[float(x) for x in row] for row in Measured().stiffness()]
    np.testing.assert_allclose(1e9 * elasticity.stiffness, expected, rtol=1e-14)


def tabulate(law):
    """A place for the law's parameters."""
    square = mesh.create_unit_square(MPI.COMM_WORLD, 3, 3)
    return Numbers(law, "law", Parameters(square))


def create(law, mean=0.0):
    """Eigenstrain of a stress map's table."""
    law = law.complete(eig.STRESS_MAP)
    return law.create(tabulate(law), replace(eig.STRESS_MAP, mean=mean))


def between(law, low, high):
    """Strain at one composition less that at another."""
    tensors = [
        [np.interp(x, law.compositions, law.strains[:, i, j]) for i in range(3) for j in range(3)]
        for x in (low, high)
    ]
    return (np.array(tensors[1]) - tensors[0]).reshape(3, 3)


@pytest.mark.parametrize(("reference", "expected"), [(0.2, 0.2), ("mean", 0.37)])
def test_vegard_and_its_reference(reference, expected):
    law = create(
        eig.VegardConfig(partial_molar_volume=OMEGA_TEXT, reference_composition=reference, **MOLAR),
        0.37,
    )
    expansion = evaluate_all(np.array(law.expansion, dtype=object))
    np.testing.assert_allclose(expansion, OMEGA * SITES / 3 * np.eye(3), rtol=1e-14)
    assert evaluate(law.reference) == expected


def test_phases():
    windows = [
        {"lowest": low, "highest": high, "partial_molar_volume": f"{omega} m^3/mol"}
        for low, high, omega in ((0.0, 0.2, 2e-6), (0.2, 0.5, 3e-6))
    ]
    law = create(PhaseEigenstrainConfig(phases=windows, **MOLAR))
    expected = SITES / 3 * (0.1 * 2e-6 + 0.2 * 3e-6)
    np.testing.assert_allclose(between(law, 0.1, 0.4), expected * np.eye(3), atol=1e-15)
    assert law.reference == 0.0


def test_molar_volumes():
    table = VolumeEigenstrainConfig(
        lithium=[0.1, 0.3, 0.5],
        volumes=["5.4e-5 m^3/mol", "5.5e-5 m^3/mol", "5.8e-5 m^3/mol"],
        reference_composition="mean",
    )
    law = create(table, 0.3)
    expected = (5.8e-5 - 5.4e-5) / (3 * 5.5e-5)
    np.testing.assert_allclose(between(law, 0.1, 0.5), expected * np.eye(3), atol=1e-15)
    assert law.reference == 0.3


def test_tensor():
    rows = [[0.01, 0.002, 0.0], [0.002, -0.03, 0.0], [0.0, 0.0, 0.0]]
    law = create(eig.TensorEigenstrainConfig(tensor=rows))
    expansion = evaluate_all(np.array(law.expansion, dtype=object))
    np.testing.assert_array_equal(expansion, rows)


def test_a_tensor_must_be_symmetric():
    rows = [[0.01, 0.002, 0.0], [0.0, -0.03, 0.0], [0.0, 0.0, 0.0]]
    with pytest.raises(InputError, match="symmetric"):
        create(
            eig.TensorEigenstrainConfig.model_construct(
                tensor=rows, frame=None, reference_composition=None
            )
        )


def test_lattice_turns_edges_along_the_wire():
    table = LatticeEigenstrainConfig(file=LATTICE, axes="bca")
    law = create(table)
    assert table.frame == "wire"
    first, *_, last = read_phases(LATTICE)
    own = last.eigenstrain(first)
    turned = between(law, first.x, last.x)
    # b along the wire, c across it, a out of the image.
    np.testing.assert_allclose(np.diag(turned), [own[1, 1], own[2, 2], own[0, 0]], rtol=1e-12)


class Colour(LawConfig):
    """A family that no package has."""


class Red(Colour):
    kind: Literal["red"] = "red"
    depth: float


class Grey(Colour):
    kind: Literal["grey"] = "grey"


class Picture(Section):
    colours: tuple[Colour, ...]


def test_a_family_takes_each_of_its_kinds():
    table = {"colours": [{"kind": "red", "depth": 1.0}, {"kind": "grey"}, Grey()]}
    picture = create_config(table, model=Picture)
    assert picture.colours == (Red(depth=1.0), Grey(), Grey())
    assert create_config(picture.model_dump(), model=Picture) == picture
    assert list_sections(Picture.model_fields["colours"].annotation) == [Red, Grey]


@pytest.mark.parametrize(
    ("table", "key", "match"),
    [
        ({"kind": "gray"}, "colours.0", "use 'red', 'grey'; did you mean 'grey'"),
        ({}, "colours.0", "kind is missing"),
        ({"kind": "red"}, "colours.0.depth", "is missing"),
        ({"kind": "grey", "depth": 1.0}, "colours.0.depth", "unknown key"),
    ],
)
def test_what_is_no_kind_is_refused(table, key, match):
    with pytest.raises(InputError, match=match) as caught:
        create_config({"colours": [table]}, model=Picture)
    assert caught.value.key == key

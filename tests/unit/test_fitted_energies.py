"""Free energies of phases and of tables in configurations."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dolfinx import mesh
from mpi4py import MPI
from scipy.special import logit
from ufl.core.expr import Expr

from chemomech import validate
from chemomech.config import Config, create_config, format_config
from chemomech.config.laws.fitted_energy import EnergyTableConfig
from chemomech.config.laws.numbers import Numbers
from chemomech.errors import InputError
from chemomech.materials.phase_diagram import find_phases
from chemomech.materials.redlich_kister import LIXV2O5
from chemomech.problems.parameters import Parameters
from chemomech.simulation.restarting import compare

PHASES = {
    "kind": "phases",
    "windows": [[0.0, 0.1], [0.3, 0.7], [0.9, 1.0]],
    "plateaus": ["3.39 V", "3200 mV"],
    "reference_voltage": "3.39 V",
}
CURVE = {
    "kind": "table",
    "file": "curve.csv",
    "quantity": "voltage",
    "reference_voltage": "3.39 V",
    "plateaus": [{"poor": 0.3, "rich": 0.6, "barrier": 0.02}],
}
#: A plateau between two phases of ideal mixing.
ENTRIES = [
    (float(c), float(3.45 - 0.0257 * (logit(c) - logit(np.clip(c, 0.3, 0.6)))))
    for c in np.linspace(0.05, 0.95, 37).round(4)
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the curve."""
    write(tmp_path, ENTRIES)
    return tmp_path


def write(folder: Path, entries: list[tuple[float, float]]) -> None:
    lines = [f"{c!r},{value!r}" for c, value in entries]
    (folder / "curve.csv").write_text("\n".join(["c,voltage_V", *lines]))


def create(law: dict[str, Any], folder: Path | None = None, **tables: Any) -> Config:
    table = {
        "geometry": {"kind": "box", "size": ["40 nm", "20 nm"]},
        "material": {
            "free_energy": law,
            "gradient": {"interface_width": "10 nm"},
            "mobility": {"kind": "degenerate", "diffusivity": "1e-15 m^2/s"},
        },
        "initial": {"kind": "uniform", "mean": 0.5},
        "time": {"end": "1 s"},
    }
    return create_config(table | tables, folder)


def test_phases_are_those_asked_for():
    config = create(PHASES)
    pairs = [(pair.poor, pair.rich) for pair in config.material.phases.coexistences]
    np.testing.assert_allclose(pairs, [(0.1, 0.3), (0.7, 0.9)], atol=1e-6)
    assert config.material.interface_width == 1e-8
    assert create_config(config.model_dump(mode="json", exclude_none=True)) == config


def test_coefficients_of_a_fit_are_parameters():
    law = create(PHASES).material.free_energy
    parameters = Parameters(mesh.create_unit_square(MPI.COMM_SELF, 2, 2))
    made = law.create(Numbers(law, "material.free_energy", parameters), 298.15)
    assert set(parameters) == {"material.free_energy.linear", "material.free_energy.coefficients"}
    found = parameters["material.free_energy.coefficients"]
    np.testing.assert_allclose(found, LIXV2O5.coefficients, atol=1e-6)
    parameters["material.free_energy.linear"] = 0.0
    assert find_phases(made).coexistences[0].potential == pytest.approx(-3.6975657712, abs=1e-6)


def test_a_fit_is_made_once_for_all_ranks(folder, monkeypatch):
    config = create(CURVE, folder)
    sent = pickle.loads(pickle.dumps(config))
    monkeypatch.setattr(EnergyTableConfig, "fit", None)
    assert sent == config
    assert sent.material.homogeneous_energy == config.material.homogeneous_energy
    other = sent.material.free_energy.model_copy(update={"reference_voltage": 3.4})
    with pytest.raises(TypeError):
        other.create_plain(298.15)


def test_temperature_scales_voltages():
    material = create(PHASES).material.model_dump(mode="json", exclude_none=True)
    config = create(PHASES, material=material | {"temperature": "330 K"})
    _, second = config.material.phases.coexistences
    assert 3.39 - config.material.scales.voltage * second.potential == pytest.approx(3.2, abs=1e-7)


def test_a_file_counts_by_its_content(folder):
    config = create(CURVE, folder)
    law = config.material.free_energy
    assert law.points == tuple(ENTRIES)
    assert "curve.csv" not in format_config(config)
    stored = create_config(config.model_dump(mode="json", exclude_none=True))
    assert stored == config
    (pair,) = config.material.phases.coexistences
    np.testing.assert_allclose([pair.poor, pair.rich, pair.barrier], [0.3, 0.6, 0.02], atol=1e-5)
    ((name, text),) = law.describe(298.15)
    fit = law.fit_table(298.15)
    assert name == "fit to the table"
    assert f"largest error {1e3 * fit.largest_error:.3g} mV" in text


def test_a_changed_file_is_a_changed_configuration(folder):
    before = create(CURVE, folder)
    write(folder, [(ENTRIES[0][0], ENTRIES[0][1] + 1e-4), *ENTRIES[1:]])
    after = create(CURVE, folder)
    tables = [config.model_dump(mode="json", exclude_none=True) for config in (before, after)]
    (change,) = compare(*tables)
    assert change.startswith("material.free_energy.points.0.1: ")


@pytest.mark.parametrize(
    ("law", "key", "message"),
    [
        (PHASES | {"plateaus": ["3.39 V"]}, "plateaus", "needs 2 plateaus, .*, got 1"),
        (PHASES | {"plateaus": ["3.2 V", "3.39 V"]}, "plateaus", "must fall"),
        (PHASES | {"plateaus": ["3.39 V", 3.2]}, "plateaus.1", "has no unit"),
        (PHASES | {"windows": [[0.0, 0.1], [0.3, 1.0], [0.9, 1.0]]}, "windows", "in order"),
        (PHASES | {"barriers": [0.01]}, "barriers", "needs 2 barriers"),
        (PHASES | {"barriers": [0.01, 0.0]}, "barriers.1", "greater than 0"),
        (PHASES | {"barriers": [0.2, 0.2]}, "barriers", "has these phases alone"),
        (PHASES | {"names": ["alpha", "delta"]}, "names", "needs 3 names, .*, got 2"),
        (PHASES | {"names": ["a", "b", "a"]}, "names", "the same name"),
        (CURVE | {"file": "none.csv"}, "file", "no such file"),
        (CURVE | {"quantity": "energy"}, "file", "needs the header c,g, got c,voltage_V"),
        (CURVE | {"points": [[0.1, 3.4]]}, "file", "exactly one of file and points"),
        (CURVE | {"reference_voltage": None}, "reference_voltage", "is needed"),
        (CURVE | {"plateaus": None}, "plateaus", "flat or falls from c = 0.3"),
        (CURVE | {"plateaus": [{"poor": 0.3, "rich": 0.6}]}, "plateaus.0.barrier", "is missing"),
    ],
)
def test_what_cannot_be_is_refused(law, key, message, folder):
    law = {name: value for name, value in law.items() if value is not None}
    with pytest.raises(InputError, match=message) as caught:
        create(law, folder)
    assert caught.value.key == f"material.free_energy.{key}"


def test_one_reference_for_fit_and_schedule():
    reaction = {"kind": "butler_volmer", "group": "left", "rate_constant": "1e-10 m/s"}
    step = {"kind": "rest", "duration": "1 s"}
    schedule = {"reference_voltage": "3.4 V", "step": [step]}
    with pytest.raises(InputError, match=r"must be that of the schedule, 3\.4 V") as caught:
        create(PHASES, reaction=[reaction], schedule=schedule)
    assert caught.value.key == "material.free_energy.reference_voltage"
    create(PHASES, reaction=[reaction], schedule=schedule | {"reference_voltage": "3.39 V"})


@pytest.mark.parametrize("kind", ["lixv2o5", "lifepo4"])
def test_crystals_by_name(kind):
    config = create({"kind": kind})
    assert len(config.material.phases.coexistences) == (2 if kind == "lixv2o5" else 1)
    assert create_config(config.model_dump(mode="json", exclude_none=True)) == config


NAMES = ["alpha", "epsilon", "delta"]


@dataclass(frozen=True)
class DoubleWell:
    """c^2 (1 - c)^2, whose phases have names."""

    height: float
    bounds = (-1.0, 2.0)
    phase_names = ("empty", "full")

    def density(self, c: Expr) -> Expr:
        """Return the density."""
        return self.height * c**2 * (1 - c) ** 2


@pytest.mark.parametrize(
    ("law", "names"),
    [
        ({"kind": "lixv2o5"}, NAMES),
        (PHASES | {"names": ["a", "b", "c"]}, ["a", "b", "c"]),
        (PHASES, ["phase 1", "phase 2", "phase 3"]),
        # Two phases, which are not three.
        ({"kind": "lixv2o5", "linear": 0.0, "coefficients": [2.75]}, []),
        ({"kind": "regular_solution", "chi": 2.75}, []),
    ],
)
def test_phases_have_the_names_of_the_law(law, names):
    material = create(law).material
    assert [phase.name for phase in material.named_phases] == names
    if names:
        ends = [(phase.lower, phase.upper) for phase in material.named_phases]
        np.testing.assert_allclose(ends, [(0.0, 0.1), (0.3, 0.7), (0.9, 1.0)], atol=1e-6)
        assert material.phase_limits == (0.2, 0.8)


def test_a_law_of_a_user_names_its_phases():
    material = create_config(
        {
            "geometry": {"kind": "box", "size": ["40 nm", "20 nm"]},
            "material": {
                "free_energy": DoubleWell(1.0),
                "gradient": {"interface_width": "10 nm"},
                "mobility": {"kind": "constant", "diffusivity": "1e-15 m^2/s"},
            },
            "initial": {"kind": "uniform", "mean": 0.5},
            "time": {"end": "1 s"},
        }
    ).material
    empty, full = material.named_phases
    assert (empty.name, empty.lower, full.name, full.upper) == ("empty", -1.0, "full", 2.0)
    assert [empty.upper, full.lower] == pytest.approx([0.0, 1.0], abs=1e-6)


def test_validation_names_the_phases():
    reaction = {"kind": "exchange_constant", "group": "left", "rate_constant": "1e-9 m/s"}
    step = {"kind": "rest", "duration": "1 s"}
    schedule = {"reference_voltage": "3.39 V", "step": [step]}
    volumes = ["5.4e-5 m^3/mol", "5.5e-5 m^3/mol"]
    mechanics = {
        "elasticity": {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3},
        "eigenstrain": {"kind": "molar_volumes", "lithium": [0, 0.9], "volumes": volumes},
    }
    config = create(
        {"kind": "lixv2o5"}, reaction=[reaction], schedule=schedule, mechanics=mechanics
    )
    said = validate(config, MPI.COMM_SELF)
    assert "entries from c = 0 to 0.9; goes on straight beyond" in said
    assert "alpha (0 to 0.1), epsilon (0.3 to 0.7), delta (0.9 to 1)" in said
    assert "3.3900 V, alpha and epsilon" in said
    assert "3.2000 V, epsilon and delta" in said

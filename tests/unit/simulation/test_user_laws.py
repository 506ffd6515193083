"""Laws that a user writes, in Python or beside the configuration, are run like the package's."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import my_laws
import numpy as np
import pytest
import ufl
from box import ELASTIC, create_tables
from box import MATERIAL as BOX_MATERIAL
from mpi4py import MPI
from stopping import run_whole_and_in_parts, stopped_after

import chemomech
from chemomech import open_run
from chemomech.cli import main
from chemomech.config import create_config, format_config, load_config
from chemomech.config.loading import load_stored_config
from chemomech.errors import InputError, UnloadedLawError
from chemomech.models.building import create_problem, create_stepper
from chemomech.models.particle import create_particle
from chemomech.output.ledger import read_ledger
from chemomech.solvers.presets import Preset

COMM = MPI.COMM_WORLD
MODULE = Path(my_laws.__file__)
PRESETS = [each.value for each in Preset]
WELLS = {"kind": "my_laws:ThreeWells", "height": 0.5}
LAYERED = {"kind": "my_laws:Layered", "diffusivity": "1e-15 m^2/s"}
LAYERED["anisotropy"] = {"values": [1.0, 0.1, 1.0]}
SLOWING = {"kind": "my_laws:Slowing", "diffusivity": "1e-15 m^2/s", "swing": -0.4}
MATERIAL = {"gradient": {"interface_width": "10 nm"}, "free_energy": WELLS, "mobility": SLOWING}
TABLES = create_tables(
    material=MATERIAL,
    mechanics=ELASTIC | {"elasticity": {"kind": "my_laws:Isotropic", "young": "43 GPa"}},
    initial={"kind": "noise", "mean": 0.25, "amplitude": 0.05, "seed": 3},
    time={"end": "0.3 s"},
    output={"count": 3, "pictures": False},
)


@pytest.fixture
def place(folder):
    """A folder with the module that all ranks see."""
    if COMM.rank == 0:
        shutil.copy(MODULE, folder)
    COMM.barrier()
    return folder


@pytest.fixture
def file(place):
    """A configuration that names laws of the module beside it."""
    path = place / "wells.toml"
    if COMM.rank == 0:
        path.write_text(
            """
[geometry]
kind = "box"
size = ["40 nm", "20 nm"]
[material]
free_energy = { kind = "my_laws:ThreeWells", height = 0.5 }
gradient = { interface_width = "10 nm" }
mobility = { kind = "my_laws:Slowing", diffusivity = "1e-15 m^2/s", swing = -0.4 }
[mechanics.elasticity]
kind = "my_laws:Isotropic"
young = "43 GPa"
[mechanics.eigenstrain]
kind = "vegard"
partial_molar_volume = "2.415e-6 m^3/mol"
[initial]
kind = "noise"
mean = 0.25
amplitude = 0.05
seed = 3
[time]
end = "0.3 s"
[output]
count = 3
pictures = false
"""
        )
    COMM.barrier()
    return path


def load(path, *overrides):
    return load_config(path, COMM, overrides, allow_code=True)


@pytest.mark.parametrize(
    "preset", ["iterative", pytest.param("direct", marks=pytest.mark.one_rank)]
)
def test_they_are_solved_recorded_and_filmed(file, place, preset):
    config = load(file, f"solver.preset={preset}")
    chemomech.simulate(config, place / "run", COMM, quiet=True)
    ledger = read_ledger(place / "run" / "ledger.csv")
    energies = ledger["energy_total_J_per_m"]
    assert (np.diff(energies) <= 1e-9 * np.abs(energies).max()).all()
    assert np.abs(ledger["lithium_balance_error"]).max() < 1e-11
    # The lower two of the three wells.
    assert ledger["c_max"][-1] > 0.4
    assert ledger["c_min"][-1] < 0.1
    assert (place / "run" / "movie.mp4").stat().st_size > 0
    record = json.loads((place / "run" / "provenance.json").read_text())
    assert record["modules"] == {"my_laws.py": MODULE.read_text()}
    assert record["parameters"]["material.free_energy.height"] == 0.5
    assert record["parameters"]["mechanics.elasticity.young"] == 43e9
    assert load(place / "run" / "config.toml") == config


@pytest.mark.one_rank
def test_results_open_without_the_code(file, place):
    chemomech.simulate(load(file, "output.movie=false"), place / "run", COMM, quiet=True)
    COMM.barrier()
    if COMM.rank == 0:
        (place / "run" / "my_laws.py").unlink()
        results = open_run(place / "run")
        assert results.config.material.free_energy.kind == "my_laws:ThreeWells"
        assert np.ptp(results.read("composition")) > 0.1
        with pytest.raises(UnloadedLawError, match="allow_code=True"):
            _ = results.config.material.phases
    COMM.barrier()


def test_restarted_they_end_as_if_undisturbed(file, place, monkeypatch):
    config = load(file, "solver.preset=iterative", "output.movie=false")
    whole, parts = run_whole_and_in_parts(config, place, monkeypatch, 5)
    tolerance = 0.0 if COMM.size == 1 else 1e-12
    for name in ("lithium_mean", "c_min", "c_max", "energy_total_J_per_m"):
        scale = np.abs(whole[name]).max()
        np.testing.assert_allclose(parts[name], whole[name], rtol=0, atol=tolerance * scale)


def test_a_changed_source_is_a_changed_configuration(file, place, monkeypatch):
    with stopped_after(5, monkeypatch):
        chemomech.simulate(load(file, "output.movie=false"), place / "run", COMM, quiet=True)
    if COMM.rank == 0:
        module = place / "my_laws.py"
        module.write_text(module.read_text() + "\n# Another comment.\n")
    COMM.barrier()
    config = load(file, "output.movie=false")
    with pytest.raises(InputError, match=r"material\.free_energy\.sha256"):
        chemomech.simulate(config, place / "run", COMM, quiet=True, restart=True)
    COMM.barrier()
    chemomech.simulate(config, place / "run", COMM, quiet=True, restart=True, accept_changes=True)
    COMM.barrier()
    if COMM.rank == 0:
        assert (place / "run" / "my_laws.py").read_text() == (place / "my_laws.py").read_text()
    COMM.barrier()


def test_laws_of_python_are_those_of_the_file(file):
    mechanics = TABLES["mechanics"] | {"elasticity": my_laws.Isotropic(43e9)}
    laws = {"free_energy": my_laws.ThreeWells(0.5), "mobility": my_laws.Slowing(1e-15, -0.4)}
    config = create_config(TABLES | {"material": MATERIAL | laws, "mechanics": mechanics})
    assert format_config(config) == format_config(load(file))
    assert config == load(file)


def test_their_numbers_are_parameters(file):
    """Set, they give the energy of a model made with them; what the law refuses is refused."""
    models = [create(load(file, f"material.free_energy.height={height}")) for height in (0.5, 0.8)]
    model, other = models
    model.parameters["material.free_energy.height"] = 0.8
    assert model.energies()["chemical"] == pytest.approx(other.energies()["chemical"], rel=1e-13)
    with pytest.raises(InputError, match="positive height"):
        model.parameters["material.free_energy.height"] = -1.0
    assert model.parameters["material.free_energy.height"] == 0.8
    assert model.parameters.describe("mechanics.elasticity.young").unit == "Pa"


def test_another_value_is_another_number_in_the_same_forms(place):
    """Also where it changes the scales: of time by the mobility, of fluxes with it."""
    problems = []
    for diffusivity in ("1e-15 m^2/s", "3e-15 m^2/s"):
        mobility = {"kind": "my_laws:Slowing", "diffusivity": diffusivity}
        reaction = {"kind": "my_laws:Linear"} | RATE
        schedule = {"step": [{"kind": "potentiostatic", "mu_res": "1 kJ/mol"}]}
        table = create_tables(
            material=BOX_MATERIAL | {"mobility": mobility}, reaction=[reaction], schedule=schedule
        )
        problems.append(create(create_config(table, place, allow_code=True)))
    one, other = ([f.residual.signature() for f in problem.fields] for problem in problems)
    assert one == other


def create(config):
    return create_problem(config, create_particle(config, COMM))


RATE = {"group": "surface", "rate": "1e-8 m/s"}
STRAINS = [0.01, 0.02, -0.005]
#: A user's tables, and the package's or the user's that say the same.
TWINS = {
    "mobility": (
        {
            "mechanics": ELASTIC,
            "material": BOX_MATERIAL
            | {
                "mobility": {
                    "kind": "my_laws:Strained",
                    "diffusivity": "1e-15 m^2/s",
                    "sensitivity": -35.0,
                }
            },
        },
        {
            "mechanics": ELASTIC,
            "material": BOX_MATERIAL
            | {
                "mobility": {
                    "kind": "degenerate",
                    "diffusivity": "1e-15 m^2/s",
                    "strain": {"values": [-35.0, -35.0, -35.0]},
                }
            },
        },
    ),
    "elasticity": (
        {"mechanics": ELASTIC | {"elasticity": {"kind": "my_laws:Isotropic", "young": "43 GPa"}}},
        {"mechanics": ELASTIC},
    ),
    "eigenstrain": (
        {"mechanics": ELASTIC | {"eigenstrain": {"kind": "my_laws:Uneven", "strains": STRAINS}}},
        {
            "mechanics": ELASTIC
            | {
                "eigenstrain": {
                    "kind": "tensor",
                    "tensor": np.diag(STRAINS).tolist(),
                    "reference_composition": 0.25,
                }
            }
        },
    ),
}


@pytest.mark.one_rank
@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("name", TWINS)
def test_twins_of_laws_of_the_package_are_solved_alike(place, name, preset):
    one, other = (take_steps(tables, place, preset) for tables in TWINS[name])
    np.testing.assert_allclose(one, other, rtol=0.0, atol=1e-10)


def take_steps(tables, place, preset, steps=4):
    solver = {"preset": preset, "relative_tolerance": 1e-11, "newton_share": 0.0}
    time = {"end": "1 s", "adaptive": False, "first_step": "5 ms"}
    noise = {"kind": "noise", "mean": 0.5, "amplitude": 0.05, "seed": 3}
    table = create_tables(initial=noise, solver=solver, time=time) | tables
    config = create_config(table, place, allow_code=True)
    problem = create(config)
    stepper = create_stepper(config, problem)
    for _ in range(steps):
        stepper.advance(1e9)
    return problem.c.x.array.copy()


@pytest.mark.parametrize("kind", ["my_laws:Linear", my_laws.Linear(1e-8)])
def test_a_reaction_of_a_users_own(place, kind):
    """It fills a particle until its potential is that of the reservoir."""
    reaction = {"kind": kind, "group": "surface"}
    if isinstance(kind, str):
        reaction["rate"] = "1e-8 m/s"
    tables = create_tables(
        material=MATERIAL
        | {
            "free_energy": {"kind": "regular_solution", "chi": 0.0},
            "gradient": {"kappa": "1e-14 J*m^2/mol"},
        },
        mesh={"size": "5 nm"},
        initial={"kind": "uniform", "mean": 0.3},
        reaction=[reaction],
        schedule={"step": [{"kind": "potentiostatic", "mu_res": "0 J/mol", "duration": "2 s"}]},
        time={"end": "2 s"},
    )
    config = create_config(tables, place, allow_code=True)
    chemomech.simulate(config, place / "run", COMM, quiet=True)
    ledger = read_ledger(place / "run" / "ledger.csv")
    assert ledger["lithium_mean"][-1] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.one_rank
def test_stored_configurations_run_no_code(file, place):
    """Not that of a module, nor what a manipulated file states itself."""
    stored = format_config(load(file))
    (place / "my_laws.py").write_text("raise SystemExit")
    (place / "config.toml").write_text(stored)
    assert format_config(load_stored_config(place / "config.toml")) == stored
    text = 'source = { module = "my_laws", text = "raise SystemExit" }\nheight ='
    (place / "config.toml").write_text(stored.replace("height =", text))
    with pytest.raises(InputError, match="unknown key"):
        load_stored_config(place / "config.toml")


BAD = [
    ({"kind": "my_law:ThreeWells"}, "kind", r"my_law\.py cannot be read"),
    ({"kind": "my_laws:ThreeWels"}, "kind", "no class 'ThreeWels'; did you mean 'ThreeWells'"),
    ({"kind": "my_laws:Half"}, "kind", "no 'density', which a free energy needs"),
    ({"kind": "my_laws:Thawed"}, "kind", "frozen dataclass"),
    ({"kind": "my_laws:Broken"}, "kind", "fails when it is tried"),
    ({"kind": "my:laws:ThreeWells"}, "kind", "module:Class"),
    ({"kind": "my_laws:ThreeWells"}, "height", "is missing"),
    (WELLS | {"depth": 1.0}, "depth", "unknown key"),
    (WELLS | {"heigth": 1.0}, "heigth", "did you mean 'height'"),
    (WELLS | {"height": "1 nm"}, "height", "not a plain number"),
    (WELLS | {"height": float("inf")}, "height", "not a finite number"),
    (WELLS | {"height": -1.0}, "kind", "positive height"),
    (WELLS | {"sha256": "0"}, "sha256", "has changed since"),
    (WELLS | {"source": {"module": "my_laws", "text": ""}}, "source", "unknown key"),
]


@pytest.mark.one_rank
@pytest.mark.parametrize(("table", "key", "match"), BAD)
def test_what_is_no_law_is_refused(place, table, key, match):
    tables = TABLES | {"material": MATERIAL | {"free_energy": table}}
    with pytest.raises(InputError, match=match) as caught:
        create_config(tables, place, allow_code=True)
    assert caught.value.key == f"material.free_energy.{key}"


@dataclass(frozen=True)
class Old:
    in_wire_frame = True

    def value(self, c):
        return c

    def strain(self, c):
        return c * ufl.Identity(3)

    def stiffness(self):
        return np.eye(3)


@dataclass(frozen=True)
class Vector:
    def value(self, c, strains):
        return ufl.as_vector([c, c])


@dataclass(frozen=True)
class Named:
    phase_names: tuple[str, ...]
    bounds = (-0.25, 1.25)

    def density(self, c):
        return ufl.sin(2 * ufl.pi * c) ** 2


@pytest.mark.one_rank
@pytest.mark.parametrize(
    ("key", "law", "at", "match"),
    [
        ("material.mobility", Old(), "kind", r"must be value\(c, strains\)"),
        ("material.mobility", Vector(), "kind", r"must return a scalar, or .* the shape \(2,\)"),
        ("mechanics.eigenstrain", Old(), "frame", "in_wire_frame is not looked at"),
        ("mechanics.elasticity", Old(), "kind", r"\(6, 6\), in Pa, not .* \(3, 3\)"),
        ("material.free_energy", Named(("a", "b")), "kind", "needs 3 names, .* got 2"),
        ("material.free_energy", Named(("a", "b", "a")), "kind", "must differ"),
        ("material.free_energy", Named(("a", "b", "")), "kind", "must be texts"),
    ],
)
def test_what_a_law_must_return(key, law, at, match):
    table, name = key.split(".")
    tables = TABLES | {"material": BOX_MATERIAL, "mechanics": ELASTIC}
    tables[table] = tables[table] | {name: law}
    with pytest.raises(InputError, match=match) as caught:
        create_config(tables)
    assert caught.value.key == f"{key}.{at}"


@pytest.mark.one_rank
@pytest.mark.parametrize(
    ("table", "match"),
    [
        (SLOWING | {"diffusivity": 1e-15}, "has no unit"),
        (SLOWING | {"diffusivity": "1 nm"}, "a diffusivity"),
        (WELLS, "no 'value', which a mobility needs"),
        (LAYERED, r"mobility\.anisotropy: .* a tensor already"),
    ],
)
def test_quantities_have_units(place, table, match):
    tables = TABLES | {"material": MATERIAL | {"mobility": table}}
    with pytest.raises(InputError, match=match):
        create_config(tables, place, allow_code=True)


@pytest.mark.one_rank
@pytest.mark.parametrize(("twin", "key"), [(0, "kind"), (1, "strain")])
def test_a_law_that_asks_for_the_strain_needs_mechanics(place, twin, key):
    tables = TWINS["mobility"][twin] | {"mechanics": None}
    with pytest.raises(InputError, match=r"table \[mechanics\]") as caught:
        create_config(create_tables(**tables), place, allow_code=True)
    assert caught.value.key == f"material.mobility.{key}"


@pytest.mark.parametrize("command", ["validate", "mesh", "run", "sweep"])
def test_code_runs_with_the_flag_only(file, place, command, capfd):
    if command == "sweep":
        if COMM.size > 1:
            return
        file = write_sweep(place)
    words = [command, str(file)]
    if command != "validate":
        words += ["--output", str(place / ("wells.msh" if command == "mesh" else "results"))]
    words += {"sweep": ["--dry-run"], "run": ["--set", "output.movie=false"]}.get(command, [])
    assert main(words) == 2
    if COMM.rank == 0:
        assert "--allow-code" in capfd.readouterr().err
    assert not (place / "results").exists()
    COMM.barrier()
    assert main([*words, "--allow-code"]) == 0


def write_sweep(place):
    file = place / "heights.toml"
    file.write_text(
        'base = "wells.toml"\nset = { "output.movie" = false, "time.end" = "10 ms" }\n'
        '[[axis]]\nkey = "material.free_energy.height"\nvalues = [0.5, 0.8]\n'
    )
    return file


@pytest.mark.slow
@pytest.mark.skipif(COMM.size > 1, reason="a sweep starts its own ranks")
def test_a_sweep_over_a_number_of_a_law(file, place):
    words = ["sweep", str(write_sweep(place)), "--output", str(place / "sweep"), "--allow-code"]
    for _ in range(2):  # The second finds all cases done.
        assert main([*words, "--jobs", "1", "--ranks", "1"]) == 0
    for height in (0.5, 0.8):
        results = open_run(place / "sweep" / f"height-{height}" / "results")
        assert results.config.material.free_energy.height == height

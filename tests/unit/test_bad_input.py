"""Bad input ends in one message with file and key, and exit code 2; nothing is written."""

import copy
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mpi4py import MPI

from chemomech.config import create_config, format_config, load_config
from chemomech.errors import InputError

COMM = MPI.COMM_WORLD
REMOVED = object()

VALID: dict[str, Any] = tomllib.loads("""
reaction = [{ kind = "constant_flux", group = "surface", value = "-1e-10 m/s" }]
[geometry]
kind = "nanowire"
width = "100 nm"
bend_angle = "90 deg"
bend_radius = "300 nm"
legs = ["150 nm", "150 nm"]
[mesh]
size = "2.5 nm"
[material]
temperature = "298.15 K"
free_energy = { kind = "regular_solution", chi = 2.75 }
gradient = { interface_width = "10 nm" }
mobility = { kind = "degenerate", diffusivity = "1e-15 m^2/s" }
[mechanics]
assumption = "plane_strain"
elasticity = { kind = "isotropic", young_modulus = "43 GPa", poisson_ratio = 0.3 }
eigenstrain = { kind = "vegard", partial_molar_volume = "2.415e-6 m^3/mol" }
boundary = [{ group = "start", kind = "clamped" }]
[initial]
kind = "noise"
mean = 0.5
[time]
end = "100 s"
[solver]
preset = "direct"
[output]
count = 10
""")

CUBIC = {"kind": "cubic", "c11": "10 GPa", "c12": "4 GPa", "c44": "3 GPa"}
ORTHOTROPIC = {
    "kind": "orthotropic",
    "young_moduli": ["10 GPa", "10 GPa", "10 GPa"],
    "poisson_ratios": [0.3, 0.3, 0.3],
    "shear_moduli": ["4 GPa", "4 GPa", "4 GPa"],
}
TENSOR = {"kind": "tensor", "tensor": [[0.01, 0, 0], [0, 0.01, 0], [0, 0, 0.01]]}
LYING = {**CUBIC, "frame": "crystal"}
MIXTURE = {"kind": "mixture", "poor": CUBIC, "rich": CUBIC}
#: Softer by 1.5 GPa for each hundredth of c: -25 GPa at c = 1.
STEEP = {
    "kind": "mixture",
    "poor": {"kind": "isotropic", "young_modulus": "80 GPa", "poisson_ratio": 0.3},
    "rich": {"kind": "isotropic", "young_modulus": "20 GPa", "poisson_ratio": 0.3},
    "compositions": [0.3, 0.7],
}
TABLE = {
    "kind": "table",
    "compositions": [0, 1],
    "diffusivities": ["1e-15 m^2/s", "1e-16 m^2/s"],
}
POLYNOMIAL = {"kind": "polynomial", "coefficients": [0, 0, 1]}
BOX = {"kind": "box", "size": ["100 nm", "100 nm"]}
OUTLINE = {"kind": "outline", "file": "particle.png", "pixel_size": "35 nm"}
CURVE = {"kind": "outline", "file": "particle.geojson", "unit": "1 nm"}
MESH = {"kind": "mesh", "file": "wire.msh", "unit": "1 nm"}
FLUX = {"kind": "constant_flux", "group": "end", "value": "1 m/s"}
FILES = ("particle.png", "particle.geojson", "wire.msh", "notes.txt")

# key that is set, value, key the message names (None: the same), piece of the message
CASES: list[tuple[str, Any, str | None, str]] = [
    # the whole
    ("geometri", {}, None, "did you mean 'geometry'"),
    ("geometry", REMOVED, None, "is missing"),
    ("geometry", 3, None, "not a table"),
    ("material", REMOVED, None, "is missing"),
    ("initial", REMOVED, None, "is missing"),
    ("time", REMOVED, None, "is missing"),
    # geometry
    ("geometry.kind", REMOVED, "geometry", "kind is missing"),
    ("geometry.kind", "nanowir", "geometry", "did you mean 'nanowire'"),
    ("geometry.widht", "100 nm", None, "did you mean 'width'"),
    ("geometry.width", REMOVED, None, "is missing (width of the wire"),
    ("geometry.width", 100, None, "has no unit"),
    ("geometry.width", "100", None, "has no unit"),
    ("geometry.width", "100 kg", None, "[mass]"),
    ("geometry.width", "100 nmm", None, "unknown unit"),
    ("geometry.width", "0 nm", None, "greater than zero"),
    ("geometry.width", "-100 nm", None, "greater than zero"),
    ("geometry.width", "nan nm", None, "number"),
    ("geometry.width", "3 km", None, "outside the accepted range"),
    ("geometry.width", ["100 nm"], None, "no quantity"),
    ("geometry.bend_radius", "50 nm", None, "half the width"),
    ("geometry.bend_radius", "40 nm", None, "half the width"),
    ("geometry.bend_radius", REMOVED, None, "a bent wire needs it"),
    ("geometry.bend_angle", 90, None, "90 deg"),
    ("geometry.bend_angle", "200 deg", None, "outside the accepted range"),
    ("geometry.bend_angle", "-10 deg", None, "must not be negative"),
    ("geometry.legs", ["100 nm"], "geometry.legs.1", "missing"),
    ("geometry.legs", ["100 nm", "-1 nm"], "geometry.legs.1", "must not be negative"),
    ("geometry.thickness", "0 nm", None, "greater than zero"),
    ("geometry", {**BOX, "size": ["100 nm"]}, "geometry.size", "at least 2"),
    ("geometry", {**BOX, "size": ["1 nm"] * 4}, "geometry.size", "at most 3"),
    (
        "mechanics.boundary",
        [{"kind": "roller", "group": "start", "value": "1 MPa"}],
        "mechanics.boundary.0.value",
        "a length ([length]) is needed",
    ),
    ("geometry", {**BOX, "periodic": ["x", "z"]}, "geometry.periodic.1", "one of x, y"),
    ("geometry", {**BOX, "periodic": ["x", "x"]}, "geometry.periodic.1", "each once"),
    ("crystal", {"axes": [[1, 0], [0, 1]]}, None, "state [[crystal]], in double brackets"),
    (
        "material.mobility.anisotropy",
        {"values": [1, 0.1]},
        "material.mobility.anisotropy.values.2",
        "is missing (values along the three axes",
    ),
    ("geometry", {**BOX, "size": ["1 nm", "0 nm"]}, "geometry.size.1", "greater than zero"),
    ("geometry", {**OUTLINE, "file": "none.png"}, "geometry.file", "no such file"),
    ("geometry", {**OUTLINE, "file": "empty.png"}, "geometry.file", "is empty"),
    ("geometry", {**OUTLINE, "file": "."}, "geometry.file", "file"),
    ("geometry", {**OUTLINE, "file": "notes.txt"}, "geometry.file", "none of .png"),
    ("geometry", {**OUTLINE, "file": 3}, "geometry.file", "file name"),
    ("geometry", {**OUTLINE, "pixel_size": 35}, "geometry.pixel_size", "has no unit"),
    ("geometry", {**OUTLINE, "unit": "1 nm"}, "geometry.unit", "use pixel_size"),
    ("geometry", {**OUTLINE, "level": 1.5}, "geometry.level", "at most 1"),
    ("geometry", {**OUTLINE, "level": "ostu"}, "geometry.level", "otsu"),
    ("geometry", {**OUTLINE, "particle": 0}, "geometry.particle", "at least 1"),
    ("geometry", {**OUTLINE, "region": [[0, 0], [1, 1]]}, "geometry.region", "three points"),
    ("geometry", {"kind": "outline", "file": "particle.png"}, "geometry.pixel_size", "35 nm"),
    ("geometry", {**CURVE, "pixel_size": "35 nm"}, "geometry.pixel_size", "use unit"),
    ("geometry", {**CURVE, "region": [[0, 0]]}, "geometry.region", "no meaning"),
    ("geometry", {**CURVE, "level": 0.3}, "geometry.level", "no meaning"),
    ("geometry", {"kind": "mesh", "file": "wire.msh"}, "geometry.unit", "is missing"),
    ("geometry", MESH, "mesh.size", "no meaning for a mesh from a file"),
    # mesh
    ("mesh.size", "5 nm", None, "too coarse"),
    ("mesh.size", "fine", None, "'auto'"),
    ("mesh.size", "1e-12 m", None, "cells"),
    ("mesh.cell", "hexahedron", None, "quadrilateral"),
    ("mesh.cell", "square", None, "quadrilateral"),
    ("mesh.cells_per_interface", 0, None, "at least 1"),
    ("mesh.allow_coarse", "yes", None, "true or false"),
    # material
    ("material.temperature", "0 K", None, "greater than zero"),
    ("material.temperature", "-300 degC", None, "greater than zero"),
    ("material.site_concentration", "18500 mol", None, "[substance]"),
    ("material.free_energy.chi", "2.75", None, "plain number"),
    ("material.free_energy.chi", float("nan"), None, "finite"),
    ("material.free_energy.chi", float("inf"), None, "finite"),
    ("material.free_energy.chi", 1e3, None, "at most 12: beyond, phases lie closer to 0 and 1"),
    ("material.free_energy.chi", 1.9, "material.gradient.interface_width", "chi > 2"),
    ("material.free_energy", POLYNOMIAL, "material.gradient.interface_width", "chi > 2"),
    ("material.free_energy.coefficients", [1.0], None, "unknown key"),
    (
        "material.free_energy",
        {"kind": "polynomial", "coefficients": []},
        "material.free_energy.coefficients",
        "at least 1",
    ),
    (
        "material.free_energy",
        {**POLYNOMIAL, "bounds": [1, 0]},
        "material.free_energy.bounds",
        "smaller",
    ),
    ("material.gradient", {}, "material.gradient.kappa", "exactly one"),
    ("material.gradient.kappa", "1e-14 J*m^2/mol", None, "exactly one"),
    ("material.gradient", {"kappa": "1e-14 J/m"}, "material.gradient.kappa", "dimension"),
    ("material.gradient", {"kappa": "0 J*m^2/mol"}, "material.gradient.kappa", "greater than zero"),
    ("material.gradient", {"kappa": "-1 J*m^2/mol"}, "material.gradient.kappa", "negative"),
    ("material.gradient.interface_width", "-1 nm", None, "greater than zero"),
    ("material.mobility.diffusivity", "0 m^2/s", None, "greater than zero"),
    ("material.mobility.kind", "degenerated", "material.mobility", "did you mean 'degenerate'"),
    ("material.mobility.anisotropy", {}, "material.mobility.anisotropy.values", "exactly one"),
    (
        "material.mobility.anisotropy",
        {"values": [1, 0, 1]},
        "material.mobility.anisotropy.values",
        "positive in every direction",
    ),
    (
        "material.gradient.anisotropy",
        {"tensor": [[1, 0.5, 0], [0, 1, 0], [0, 0, 1]]},
        "material.gradient.anisotropy.tensor",
        "symmetric",
    ),
    (
        "material.mobility.strain",
        {"values": [-35, 0, 0], "measure": "plastic"},
        "material.mobility.strain.measure",
        "'elastic'",
    ),
    ("material.mobility", TABLE | {"diffusivities": []}, "material.mobility.diffusivities", "0 en"),
    (
        "material.mobility",
        TABLE | {"compositions": [0.1, 1]},
        "material.mobility.compositions",
        "from c = 0.1 to 1, the composition may go from 0 to 1",
    ),
    (
        "material.mobility",
        {"kind": "table", "file": "notes.txt"},
        "material.mobility.file",
        "notes.txt",
    ),
    # mechanics
    ("mechanics.prestrain", {"kind": "twist"}, "mechanics.prestrain.kind", "'bending'"),
    ("mechanics.prestrain", {"fraction": 0}, "mechanics.prestrain.fraction", "greater than 0"),
    ("mechanics.prestrain", {"fraction": 1}, "mechanics.prestrain.fraction", "0.05"),
    ("mechanics.assumption", "plain_strain", None, "'plane_strain'"),
    ("mechanics.assumption", "three_dimensional", None, "2-D"),
    ("mechanics.elasticity", REMOVED, None, "is missing"),
    ("mechanics.elasticity.young_modulus", "-43 GPa", None, "greater than zero"),
    ("mechanics.elasticity.poisson_ratio", 0.5, None, "less than 0.5"),
    ("mechanics.elasticity.poisson_ratio", -1, None, "greater than -1"),
    ("mechanics.elasticity", {**CUBIC, "c12": "11 GPa"}, "mechanics.elasticity.c12", "unstable"),
    ("mechanics.elasticity", {**CUBIC, "frame": "local"}, "mechanics.elasticity.frame", "wire"),
    (
        "mechanics.elasticity",
        {**ORTHOTROPIC, "poisson_ratios": [0.9, 0.9, 0.9]},
        "mechanics.elasticity.poisson_ratios",
        "positive definite",
    ),
    (
        "mechanics.elasticity",
        {**ORTHOTROPIC, "young_moduli": ["10 GPa", "10 GPa"]},
        "mechanics.elasticity.young_moduli.2",
        "missing",
    ),
    ("mechanics.eigenstrain.partial_molar_volume", 2.4e-6, None, "has no unit"),
    ("mechanics.eigenstrain.reference_composition", 1.2, None, "at most 1"),
    ("mechanics.eigenstrain.reference_composition", "average", None, "'mean'"),
    (
        "mechanics.eigenstrain",
        {**TENSOR, "tensor": [[0.01, 0.1, 0], [0, 0.01, 0], [0, 0, 0.01]]},
        "mechanics.eigenstrain.tensor",
        "symmetric",
    ),
    ("mechanics.elasticity", {**MIXTURE, "poor": LYING}, "mechanics.elasticity.poor.frame", "both"),
    (
        "mechanics.elasticity",
        {**MIXTURE, "compositions": [1, 0]},
        "mechanics.elasticity.compositions",
        "must increase",
    ),
    (
        "mechanics.elasticity",
        STEEP,
        "mechanics.elasticity.compositions",
        "no stable solid at the composition 1:",
    ),
    (
        "mechanics.elasticity",
        {"kind": "mixture", "poor": CUBIC},
        "mechanics.elasticity.rich",
        "is missing",
    ),
    (
        "mechanics.elasticity",
        {**MIXTURE, "rich": MIXTURE},
        "mechanics.elasticity.rich",
        "'isotropic', 'cubic', 'orthotropic'",
    ),
    # crystal
    ("mechanics.elasticity", LYING, "mechanics.elasticity.frame", "state how it lies"),
    ("crystal", [{"euler_angles": ["0 deg"] * 3}], None, "no meaning without a law"),
    ("crystal", [{}], "crystal.0.euler_angles", "exactly one"),
    ("crystal", [{"axes": [[1, 0], [1, 1]]}], "crystal.0.axes", "perpendicular"),
    ("crystal", [{"euler_angles": [30, "0 deg", "0 deg"]}], "crystal.0.euler_angles.0", "no unit"),
    ("mechanics.boundary.0.kind", "clampt", "mechanics.boundary.0", "did you mean 'clamped'"),
    ("mechanics.boundary.0.group", "", None, "at least 1"),
    ("mechanics.boundary.0.group", REMOVED, None, "is missing"),
    (
        "mechanics.boundary.0",
        {"group": "end", "kind": "traction", "value": ["1 MPa"]},
        "mechanics.boundary.0.value",
        "at least 2",
    ),
    (
        "mechanics.boundary.0",
        {"group": "end", "kind": "displacement", "value": ["1 nm", "0 nm", "0 nm"]},
        "mechanics.boundary.0.value",
        "2-D mesh needs 2",
    ),
    (
        "mechanics.eigenstrain",
        {"kind": "lattice", "file": "notes.txt", "axes": "aab"},
        "mechanics.eigenstrain.axes",
        "each of the edges a, b and c once",
    ),
    (
        "mechanics.boundary",
        [{"group": "end", "kind": "clamped"}, {"group": "end", "kind": "roller"}],
        "mechanics.boundary.1.group",
        "clamped already",
    ),
    # flux
    ("reaction.0.value", -1e-10, None, "has no unit"),
    ("reaction.0.value", "-1e-10 m", None, "[length]"),
    ("reaction", [FLUX] * 2, "reaction.1.group", "has a reaction already"),
    # initial
    ("initial.mean", 0, None, "outside (0, 1)"),
    ("initial.mean", 1.0, None, "outside (0, 1)"),
    ("initial.mean", -0.1, None, "outside (0, 1)"),
    ("initial.mean", "0.5", None, "plain number"),
    ("initial.amplitude", -0.01, None, "at least 0"),
    ("initial.amplitude", 0.6, None, "less than 0.5"),
    ("initial.smoothing", "10 s", None, "[time]"),
    ("initial.seed", 1.5, None, "whole number"),
    ("initial.seed", -1, None, "at least 0"),
    ("initial", {"kind": "file"}, "initial.file", "is missing (CSV"),
    ("initial", {"kind": "file", "file": "c.csv"}, "initial.file", "no such file"),
    ("initial", {"kind": "formula", "formula": " "}, "initial.formula", "at least 1"),
    # time
    ("time.end", REMOVED, None, "is missing"),
    ("time.end", "0 s", None, "greater than zero"),
    ("time.end", "100 nm", None, "[length]"),
    ("time.tolerance", 0, None, "greater than 0"),
    ("time.tolerance", 1, None, "less than 1"),
    ("time.adaptive", False, "time.first_step", "is missing"),
    ("time.first_step", "200 s", None, "longer than time.end"),
    ("time.stationary_rate", "never", None, "'off'"),
    # solver and output
    ("solver.preset", "fast", None, "'iterative'"),
    ("solver.degree_composition", 3, None, "1 or 2"),
    ("solver.max_newton_iterations", 0, None, "at least 1"),
    ("solver.relative_tolerance", -1e-8, None, "greater than 0"),
    ("solver.petsc", {"-ksp_type": "cg"}, "solver.petsc.-ksp_type", "without their dash"),
    ("output.count", 0, None, "at least 1"),
    ("output.interval", "1 s", "output.count", "excludes"),
    ("output", {"interval": "200 s"}, "output.interval", "longer than time.end"),
    ("output", {"interval": "1 us"}, "output.interval", "at most 10000"),
    ("output", {"times": ["2 s", "1 s"]}, "output.times", "must increase"),
    ("output", {"times": ["200 s"]}, "output.times", "beyond time.end"),
    ("output", {"interval": "1 s", "spacing": "log"}, "output.spacing", "use count"),
    ("output.movies", True, None, "did you mean 'movie'"),
]


def edit(table: dict[str, Any], key: str, value: object) -> dict[str, Any]:
    """A copy of nested tables with one key set or removed."""
    changed = copy.deepcopy(table)
    target: Any = changed
    *parents, last = (int(part) if part.isdecimal() else part for part in key.split("."))
    for part in parents:
        target = target[part]
    if value is REMOVED:
        del target[last]
    else:
        target[last] = value
    return changed


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """One folder for all ranks, with the files the cases speak of."""
    shared = COMM.bcast(tmp_path, root=0)
    if COMM.rank == 0:
        for name in FILES:
            (shared / name).write_text("contents")
        (shared / "empty.png").touch()
    COMM.Barrier()
    yield shared
    COMM.Barrier()


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "input.toml"
    if COMM.rank == 0:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    COMM.Barrier()
    return path


def test_the_unedited_file_is_valid(folder: Path) -> None:
    assert load_config(write(folder, tomli_w.dumps(VALID)), COMM).geometry.kind == "nanowire"


@pytest.mark.parametrize(
    ("key", "value", "named", "piece"), CASES, ids=[f"{i}-{c[0]}" for i, c in enumerate(CASES)]
)
def test_bad_value(folder: Path, key: str, value: object, named: str | None, piece: str) -> None:
    path = write(folder, tomli_w.dumps(edit(VALID, key, value)))
    with pytest.raises(InputError) as caught:
        load_config(path, COMM)
    message = str(caught.value)
    assert message.startswith(f"{path}: {named or key}: ")
    assert piece in message
    assert "\n" not in message


@pytest.mark.parametrize("geometry", [BOX, {"kind": "nanowire", "width": "9 nm", "legs": "1 um"}])
def test_what_has_no_bend_was_not_bent(geometry: dict[str, Any]) -> None:
    table = copy.deepcopy(VALID)
    table["geometry"] = geometry
    table["mechanics"]["prestrain"] = {"kind": "bending"}
    table["mechanics"]["boundary"] = table["reaction"] = []
    with pytest.raises(InputError, match="is for a bent wire") as caught:
        create_config(table)
    assert caught.value.key == "mechanics.prestrain"


def test_a_wire_without_ends_has_no_axes() -> None:
    table = edit(VALID, "mechanics.eigenstrain", {**TENSOR, "frame": "wire"})
    table["mechanics"]["boundary"] = table["reaction"] = []
    table["geometry"] = {**BOX, "periodic": ["y"]}
    create_config(table)
    table["geometry"] = {**BOX, "periodic": ["y", "x"]}
    with pytest.raises(InputError, match='use frame = "global"') as caught:
        create_config(table)
    assert caught.value.key == "mechanics.eigenstrain.frame"


@pytest.mark.parametrize(
    ("key", "table"),
    [
        ("reaction.0.group", {"reaction": [{**FLUX, "group": "left"}]}),
        (
            "mechanics.boundary.0.group",
            {
                "mechanics": VALID["mechanics"]
                | {"boundary": [{"kind": "clamped", "group": "right"}]}
            },
        ),
    ],
)
def test_the_side_of_a_box_that_repeats_is_no_boundary(key: str, table: dict[str, Any]) -> None:
    tables = copy.deepcopy(VALID)
    del tables["reaction"], tables["mechanics"]["boundary"]
    tables |= {"geometry": {**BOX, "periodic": ["x"]}, **table}
    with pytest.raises(InputError, match="repeats along x") as caught:
        create_config(tables)
    assert caught.value.key == key


@pytest.mark.parametrize(("kind", "voltage"), [("lixv2o5", "3.39 V"), ("lifepo4", "3.422 V")])
def test_a_crystal_by_name_has_its_reference_voltage(kind: str, voltage: str) -> None:
    tables = copy.deepcopy(VALID)
    tables["material"]["free_energy"] = {"kind": kind}
    tables["mesh"]["allow_coarse"] = True
    tables["reaction"] = [
        {"kind": "exchange_constant", "group": "surface", "rate_constant": "1e-9 m/s"}
    ]
    step = {"kind": "potentiostatic", "voltage": "3.3 V"}
    tables["schedule"] = {"reference_voltage": voltage, "step": [step]}
    tables["time"]["stationary_rate"] = "off"
    create_config(tables)
    tables["schedule"]["reference_voltage"] = "3.2 V"
    with pytest.raises(InputError, match=f"must be {voltage}") as caught:
        create_config(tables)
    assert caught.value.key == "schedule.reference_voltage"


def test_one_table_stands_for_what_is_named_nowhere() -> None:
    tables = copy.deepcopy(VALID)
    tables["mechanics"]["elasticity"] = LYING
    tables["crystal"] = [{"formula": "x"}] * 2
    with pytest.raises(InputError, match="only one table") as caught:
        create_config(tables)
    assert caught.value.key == "crystal.1.cells"


def test_the_table_is_long_enough() -> None:
    assert len(CASES) >= 60


@pytest.mark.parametrize(
    ("text", "piece"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("geometry = \n", "line 1"),
        ('[geometry]\nkind = "box"\nkind = "box"\n', "line 3"),
        ("\n\nwidth = 100 nm", "line 3"),
        (b"\xff\xfe\x00", "UTF-8"),
        ("a = " + "[" * 5000, "no valid TOML"),
        ("a = " + "9" * 5000, "no valid TOML"),
        ('[time]\nend = "1 s"', "geometry: is missing"),
        ("reaction = 3", "reaction: 3 is not a list"),
        ("time = 2020-01-01", "time: datetime.date"),
    ],
)
def test_bad_file(folder: Path, text: str | bytes, piece: str) -> None:
    path = write(folder, text)
    with pytest.raises(InputError) as caught:
        load_config(path, COMM)
    assert str(path) in str(caught.value)
    assert piece in str(caught.value)


def test_missing_file_and_folder(folder: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load_config(folder / "none.toml", COMM)
    with pytest.raises(InputError, match="directory"):
        load_config(folder, COMM)


def test_every_problem_gets_its_line(folder: Path) -> None:
    table = edit(edit(VALID, "geometry.width", 3), "time.end", "3 kg")
    path = write(folder, tomli_w.dumps(table))
    with pytest.raises(InputError) as caught:
        load_config(path, COMM)
    lines = str(caught.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["geometry.width", "time.end"]
    assert all(line.startswith(f"{path}: ") for line in lines)


@pytest.mark.parametrize(
    ("override", "piece"),
    [
        ("time.end", "write key=value"),
        ("=3", "write key=value"),
        ("time..end=3 s", "write key=value"),
        ("time.end=3 kg", "time.end: '3 kg' has the dimension"),
        ("tiem.end=3 s", "did you mean 'time'"),
        ("time.end.unit=s", "there is no 'unit'"),
        ("reaction.7.value=1 m/s", "there is no '7'"),
    ],
)
def test_bad_override(folder: Path, override: str, piece: str) -> None:
    path = write(folder, tomli_w.dumps(VALID))
    with pytest.raises(InputError) as caught:
        load_config(path, COMM, [override])
    assert piece in str(caught.value)


def list_keys(table: object, prefix: str = "") -> list[str]:
    if isinstance(table, dict):
        parts = [(str(key), value) for key, value in table.items()]
    elif isinstance(table, list):
        parts = [(str(index), value) for index, value in enumerate(table)]
    else:
        return []
    return [
        found
        for key, value in parts
        for found in [f"{prefix}{key}", *list_keys(value, f"{prefix}{key}.")]
    ]


UNITS = st.sampled_from(["nm", "m", "s", "Pa", "GPa", "K", "deg", "m^2/s", "mol/m^3", "J*m^2/mol"])
SCALARS = (
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=12)
    | st.dates()
    | st.sampled_from(["auto", "off", "mean", "wire", "log", "box", "mesh", "cubic", "file"])
    | st.builds(lambda number, unit: f"{number} {unit}", st.floats() | st.integers(), UNITS)
)
VALUES = st.just(REMOVED) | st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["kind", "size", "file", "value", "kappa"]) | st.text(max_size=5),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)
SERIAL = pytest.mark.skipif(
    COMM.size > 1, reason="ranks would draw different examples, or start MPI within MPI"
)


@SERIAL
@given(st.lists(st.tuples(st.sampled_from(list_keys(VALID)), VALUES), min_size=1, max_size=3))
@settings(max_examples=400)
def test_mutated_values_give_a_configuration_or_an_input_error(
    edits: list[tuple[str, object]],
) -> None:
    table = VALID
    for key, value in edits:
        try:
            table = edit(table, key, value)
        except (KeyError, IndexError, TypeError):
            continue  # an earlier edit took the place of this key away
    try:
        config = create_config(table)
    except InputError:
        return
    assert create_config(tomllib.loads(format_config(config))) == config


@SERIAL
@given(st.data())
@settings(
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_mutated_text_gives_a_configuration_or_an_input_error(
    tmp_path: Path, data: st.DataObject
) -> None:
    text = tomli_w.dumps(VALID)
    start = data.draw(st.integers(0, len(text)))
    stop = data.draw(st.integers(start, min(start + 20, len(text))))
    insert = data.draw(st.text(max_size=8) | st.text(alphabet='[]{}=".\n#-0', max_size=8))
    path = tmp_path / "mutated.toml"
    path.write_text(text[:start] + insert + text[stop:], encoding="utf-8", newline="")
    try:
        config = load_config(path, MPI.COMM_SELF)
    except InputError:
        return
    assert create_config(tomllib.loads(format_config(config))) == config


def run_command(folder: Path, *arguments: str, ranks: int = 1) -> subprocess.CompletedProcess[str]:
    launcher = ["mpirun", "-n", str(ranks)] if ranks > 1 else []
    return subprocess.run(
        [*launcher, sys.executable, "-m", "chemomech", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def assert_refused(result: subprocess.CompletedProcess[str], piece: str) -> None:
    assert result.returncode == 2
    assert result.stderr.count("chemomech: error: ") == 1
    assert piece in result.stderr
    assert "Traceback" not in result.stderr


@SERIAL
class TestCommand:
    """The same through the command line, in processes of their own."""

    @pytest.mark.parametrize("command", ["validate", "run"])
    @pytest.mark.parametrize("index", [6, 14, 99])
    def test_bad_value(self, folder: Path, command: str, index: int) -> None:
        key, value, named, piece = CASES[index]
        path = write(folder, tomli_w.dumps(edit(VALID, key, value)))
        before = sorted(folder.iterdir())
        result = run_command(folder, command, path.name)
        assert_refused(result, piece)
        assert f"{path.name}: {named or key}: " in result.stderr
        assert sorted(folder.iterdir()) == before

    @pytest.mark.skipif(shutil.which("mpirun") is None, reason="needs mpirun")
    @pytest.mark.parametrize("text", ["", tomli_w.dumps(edit(VALID, "geometry.width", 100))])
    def test_two_ranks_give_one_message(self, folder: Path, text: str) -> None:
        write(folder, text)
        before = sorted(folder.iterdir())
        assert_refused(run_command(folder, "run", "input.toml", ranks=2), "input.toml: ")
        assert sorted(folder.iterdir()) == before


@SERIAL
class TestCommandWithMesh:
    """Faults that show only when the mesh or the results are at hand."""

    def test_unknown_group(self, folder: Path) -> None:
        write(folder, tomli_w.dumps(edit(VALID, "reaction.0.group", "inne")))
        result = run_command(folder, "run", "input.toml")
        assert_refused(result, "inner")
        assert not (folder / "input-results").exists()

    def test_unknown_boundary_group(self, folder: Path) -> None:
        write(folder, tomli_w.dumps(edit(VALID, "mechanics.boundary.0.group", "strat")))
        result = run_command(folder, "run", "input.toml")
        assert_refused(result, "start")
        assert not (folder / "input-results").exists()

    def test_used_output_folder(self, folder: Path) -> None:
        write(folder, tomli_w.dumps(VALID))
        used = folder / "used"
        used.mkdir()
        (used / "precious.txt").write_text("keep")
        assert_refused(run_command(folder, "run", "input.toml", "--output", "used"), "--output")
        assert [path.name for path in used.iterdir()] == ["precious.txt"]

    def test_self_crossing_outline(self, folder: Path) -> None:
        (folder / "particle.geojson").write_text(
            '{"type": "Polygon", "coordinates": [[[0,0],[100,100],[100,0],[0,100],[0,0]]]}'
        )
        write(folder, tomli_w.dumps(edit(VALID, "geometry", CURVE)))
        assert_refused(run_command(folder, "validate", "input.toml"), "particle.geojson")

    def test_unreadable_mesh(self, folder: Path) -> None:
        table = edit(edit(VALID, "geometry", MESH), "mesh", {})
        write(folder, tomli_w.dumps(table))
        assert_refused(run_command(folder, "validate", "input.toml"), "wire.msh")

"""Bad images, spectra, masks and tables are refused with one message, and exit code 2."""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tomli_w
from mpi4py import MPI
from skimage.io import imsave

from chemomech.cli import main

COMM = MPI.COMM_WORLD
SHAPE = (40, 48)
ENERGIES = np.linspace(510.0, 540.0, 16)
# A step that both phases share, so that frames can be aligned, and a line of each.
STEP = 0.1 + 0.6 / (1.0 + np.exp(516.0 - ENERGIES))
SPECTRA = STEP + 0.2 * np.exp(-(((ENERGIES - [[518.0], [524.0]]) / 3.0) ** 2))


@dataclass
class Case:
    """A valid measurement, to be spoilt: a wire of two halves, leaving the image on the left."""

    counts: np.ndarray
    energies: np.ndarray = field(default_factory=ENERGIES.copy)
    config: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes | np.ndarray] = field(default_factory=dict)
    stored: dict[str, Any] = field(default_factory=lambda: {"pixel_size": 35e-9})


def create_case() -> Case:
    rows, columns = np.indices(SHAPE)
    # Alignment along the wire needs its end.
    inside = 1.0 / (1.0 + np.exp((np.abs(rows - 20.0) - 6.0) / 0.6))
    inside /= 1.0 + np.exp((columns - 40.0) / 0.6)
    share = 1.0 / (1.0 + np.exp(-(columns - 24.0)))
    spectrum = np.stack([1.0 - share, share]).transpose(1, 2, 0) @ SPECTRA
    density = inside * spectrum.transpose(2, 0, 1)
    counts = np.random.default_rng(0).poisson(3000.0 * np.exp(-density)).astype(np.float32)
    table = [",".join(map(str, row)) for row in np.column_stack([ENERGIES, SPECTRA.T])]
    config = {
        "stack": {"file": "stack.npz"},
        "clusters": {"number": 2, "pre_edge": {"lowest": "509 eV", "highest": "513 eV"}},
        "end_member": [
            {"name": "poor", "lithium": 0.1, "file": "standards.csv", "column": 1},
            {"name": "rich", "lithium": 0.3, "file": "standards.csv", "column": 2},
        ],
        "output": {"pictures": False},
    }
    return Case(counts, config=config, files={"standards.csv": "\n".join(table).encode()})


def write(case: Case, folder: Path) -> None:
    for name, content in case.files.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        elif name.endswith(".npy"):
            np.save(folder / name, content)
        else:
            imsave(folder / name, content, check_contrast=False)
    if "stack.npz" not in case.files:
        arrays = {"counts": case.counts, "energies": case.energies, **case.stored}
        np.savez(folder / "stack.npz", **{k: v for k, v in arrays.items() if v is not None})
    (folder / "input.toml").write_text(tomli_w.dumps(case.config))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    shared = COMM.bcast(tmp_path)
    monkeypatch.chdir(shared)
    yield shared
    COMM.Barrier()


def refuse(folder: Path, command: str, case: Case, pieces: list[str], capfd: Any) -> None:
    if COMM.rank == 0:
        write(case, folder)
    COMM.Barrier()
    before = sorted(path.name for path in folder.iterdir())
    assert main([command, "input.toml"]) == 2
    COMM.Barrier()
    errors = capfd.readouterr().err
    if COMM.rank == 0:
        assert errors.startswith("chemomech: error: ")
        assert "Traceback" not in errors
        for piece in pieces:
            assert piece in errors
    assert sorted(path.name for path in folder.iterdir()) == before


def test_the_case_itself_is_valid(folder):
    if COMM.rank == 0:
        write(create_case(), folder)
    COMM.Barrier()
    assert main(["measure", "input.toml"]) == 0
    COMM.Barrier()
    report = json.loads((folder / "input-results" / "report.json").read_text())
    assert report["outline"]["particles"] == 1
    # Three fifths of the wire are poor.
    assert report["composition"]["mean_x"] == pytest.approx(0.18, abs=0.01)


def put(name: str, value: object) -> Callable[[Case], None]:
    """Set an entry of the configuration, its tables separated by dots."""

    def change(case: Case) -> None:
        *parents, last = name.split(".")
        target: Any = case.config
        for part in parents:
            target = target[int(part)] if part.isdecimal() else target.setdefault(part, {})
        target[int(last) if last.isdecimal() else last] = value

    return change


def pixels(value: float, where: object) -> Callable[[Case], None]:
    def change(case: Case) -> None:
        case.counts[where] = value

    return change


def energies(*values: float) -> Callable[[Case], None]:
    def change(case: Case) -> None:
        case.energies[: len(values)] = values

    return change


def files(**content: object) -> Callable[[Case], None]:
    """Add files; a double underscore stands for the dot."""

    def change(case: Case) -> None:
        case.files |= {k.replace("__", "."): v for k, v in content.items()}  # type: ignore[misc]

    return change


def store(**values: object) -> Callable[[Case], None]:
    def change(case: Case) -> None:
        case.stored |= values

    return change


def keep(frames: int) -> Callable[[Case], None]:
    def change(case: Case) -> None:
        case.counts, case.energies = case.counts[:frames], case.energies[:frames]

    return change


def replace_counts(make: Callable[[], np.ndarray]) -> Callable[[Case], None]:
    def change(case: Case) -> None:
        case.counts = make()

    return change


MASK = np.zeros(SHAPE, dtype=np.uint8)
ALL = np.s_[:, :, :]
FLAT = b"\n".join(b"%g,1,1" % energy for energy in ENERGIES)
TWICE = b"\n".join(b"%g,%g,%g" % (e, a, a) for e, a in zip(ENERGIES, SPECTRA[0], strict=True))

MEASURE: dict[str, tuple[list[Callable[[Case], None]], list[str]]] = {
    "all-zero frame": ([pixels(0.0, 3)], ["stack.npz", "frame 4", "516 eV", "zeros"]),
    "frame of NaN": ([pixels(np.nan, 3)], ["stack.npz", "frame 4", "NaN"]),
    "every pixel NaN at some energy": (
        [
            pixels(np.nan, np.s_[3, :20]),
            pixels(np.nan, np.s_[4, 20:]),
            put("alignment.enabled", False),
        ],
        ["no pixel"],
    ),
    "negative count": ([pixels(-1.0, np.s_[2, 0, 0])], ["stack.npz", "frame 3", "-1"]),
    "infinite count": ([pixels(np.inf, np.s_[2, 0, 0])], ["stack.npz", "finite"]),
    "energies not increasing": ([energies(510, 513, 512)], ["stack.npz", "increase", "513 eV"]),
    "energy twice": ([energies(510, 510)], ["stack.npz", "510 eV"]),
    "energy zero": ([energies(0.0)], ["stack.npz", "greater than zero"]),
    "energy NaN": ([energies(np.nan)], ["stack.npz", "finite"]),
    "one energy": ([keep(1)], ["stack.npz", "one photon energy"]),
    "no energies": ([keep(0)], ["stack.npz"]),
    "fewer energies than frames": ([store(energies=ENERGIES[:-1])], ["stack.npz", "15"]),
    "no pixel size": ([store(pixel_size=None)], ["stack.npz", "pixel"]),
    "negative pixel size": ([put("stack.pixel_size", "-35 nm")], ["stack.pixel_size", "zero"]),
    "text instead of counts": (
        [replace_counts(lambda: np.full((16, *SHAPE), "x"))],
        ["stack.npz"],
    ),
    "flat image": ([pixels(3000.0, ALL)], ["alignment", "frame 1", "same count"]),
    "flat image that is not aligned": (
        [pixels(3000.0, ALL), put("alignment.enabled", False)],
        ["input.toml: "],
    ),
    "two-dimensional counts": ([replace_counts(lambda: np.ones(SHAPE))], ["stack.npz"]),
    "stack cut short": ([files(stack__npz=b"PK\x03\x04cut")], ["stack.npz"]),
    "stack of nothing": ([files(stack__npz=b"")], ["stack.file", "empty"]),
    "no stack": ([put("stack.file", "gone.hdr")], ["stack.file", "gone.hdr", "no such file"]),
    "header without images": (
        [files(scan__hdr=b'ScanDefinition = { Label = "x"; };'), put("stack.file", "scan.hdr")],
        ["scan.hdr"],
    ),
    "HDF5 cut short": (
        [files(scan__h5=b"\x89HDF\r\n\x1a\n\x00\x00"), put("stack.file", "scan.h5")],
        ["scan.h5"],
    ),
    "unknown region": ([put("stack.scan_region", 2)], ["stack"]),
    "unknown channel": ([put("stack.channel", "TEY")], ["stack"]),
    "shift too large": ([put("alignment.max_shift", 1e-6)], ["alignment"]),
    "stored I0 wanted, none there": ([put("optical_density.incident", "stored")], ["I0"]),
    "stored I0 zero": ([store(incident=np.zeros(16))], ["stack.npz", "I0"]),
    "I0 of the wrong length": ([store(incident=np.ones(3))], ["stack.npz"]),
    "I0 smaller than the counts": ([store(incident=np.ones(16))], ["I0"]),
    "saturated I0": ([put("optical_density.saturation", 2000.0)], ["optical_density", "satur"]),
    "dark counts above the light": ([put("optical_density.dark", 1e5)], ["optical_density"]),
    "mask of the wrong shape": (
        [
            files(empty__npy=np.ones((3, 3), dtype=bool)),
            put("optical_density", {"incident": "mask", "mask": "empty.npy"}),
        ],
        ["empty.npy", "3"],
    ),
    "empty mask": (
        [
            files(empty__npy=np.zeros(SHAPE, dtype=bool)),
            put("optical_density", {"incident": "mask", "mask": "empty.npy"}),
        ],
        ["empty.npy", "no pixel"],
    ),
    "region without pixels": (
        [
            put(
                "optical_density",
                {"incident": "region", "region": [[0.1, 0.1], [0.4, 0.1], [0.4, 0.4]]},
            )
        ],
        ["optical_density", "no pixel"],
    ),
    "region outside the image": (
        [put("optical_density", {"incident": "region", "region": [[90, 90], [99, 90], [99, 99]]})],
        ["optical_density", "no pixel"],
    ),
    "I0 from a file that ends early": (
        [
            files(i0__csv=b"510,3000\n520,3000\n"),
            put("optical_density", {"incident": "file", "file": "i0.csv"}),
        ],
        ["i0.csv", "522 eV"],
    ),
    "I0 file without numbers": (
        [
            files(i0__csv=b"energy,counts\n"),
            put("optical_density", {"incident": "file", "file": "i0.csv"}),
        ],
        ["i0.csv"],
    ),
    "mask named but not used": (
        [files(empty__npy=MASK), put("optical_density.mask", "empty.npy")],
        ["optical_density.mask", "no meaning"],
    ),
    "outline region outside": (
        [put("outline.region", [[90, 90], [99, 90], [99, 99]])],
        ["outline.region"],
    ),
    "outline region crosses itself": (
        [put("outline.region", [[0, 0], [20, 20], [20, 0], [0, 20]])],
        ["outline.region", "crosses"],
    ),
    "outline of two points": ([put("outline.region", [[0, 0], [9, 9]])], ["outline.region"]),
    "outline level above one": ([put("outline.level", 1.5)], ["outline.level"]),
    "outline window without energies": (
        [put("outline.energies", {"lowest": "600 eV", "highest": "610 eV"})],
        ["outline"],
    ),
    "window upside down": (
        [put("outline.energies", {"lowest": "530 eV", "highest": "520 eV"})],
        ["outline.energies.highest"],
    ),
    "more components than energies": ([put("pca.components", 17)], ["pca", "16"]),
    "pre-edge without energies": (
        [put("clusters.pre_edge", {"lowest": "400 eV", "highest": "410 eV"})],
        ["clusters"],
    ),
    "one cluster": ([put("clusters.number", 1)], ["clusters.number"]),
    "more clusters than pixels": (
        [put("clusters.number", 20), put("clusters.erosion", 5)],
        ["clusters"],
    ),
    "erosion leaves nothing": ([put("clusters.erosion", 20)], ["clusters"]),
    "nothing but the first component": (
        [put("clusters.skip_first", True), put("pca.components", 1)],
        ["clusters.skip_first"],
    ),
    "cluster that is not there": (
        [put("end_member.0", {"name": "poor", "lithium": 0.1, "cluster": 3})],
        ["end_member.0.cluster", "2 clusters"],
    ),
    "spectrum that is not there": ([put("end_member.0.column", 3)], ["standards.csv"]),
    "spectrum too short": (
        [files(standards__csv=b"510,1,2\n520,1,2\n")],
        ["standards.csv", "522 eV"],
    ),
    "spectrum of words": ([files(standards__csv=b"a,b\nc,d\n")], ["standards.csv"]),
    "one end member": (
        [lambda case: case.config["end_member"].pop()],
        ["end_member", "at least 2"],
    ),
    "two of one name": ([put("end_member.1.name", "poor")], ["end_member.1.name", "already"]),
    "negative lithium": ([put("end_member.1.lithium", -0.1)], ["end_member.1.lithium"]),
    "thickness of one only": (
        [put("end_member.1.thickness", "100 nm")],
        ["end_member.1.thickness"],
    ),
    "the same spectrum twice": ([files(standards__csv=TWICE)], ["unmixing", "condition"]),
    "constant spectra and a constant": ([files(standards__csv=FLAT)], ["unmixing"]),
    "unknown method": ([put("unmixing.method", "best")], ["unmixing.method"]),
    "misspelt table": ([put("unmixng", {})], ["unmixng", "unmixing"]),
}


@pytest.mark.parametrize("name", MEASURE)
def test_measure(name, folder, capfd):
    changes, pieces = MEASURE[name]
    case = create_case()
    for change in changes:
        change(case)
    refuse(folder, "measure", case, pieces, capfd)


SQUARE = json.dumps(
    {
        "type": "Polygon",
        "coordinates": [[[100, 100], [900, 100], [900, 500], [100, 500], [100, 100]]],
    }
).encode()
STRESS = {
    "composition": {"kind": "map", "file": "x.npy", "pixel_size": "35 nm"},
    "outline": {"file": "outline.geojson"},
    "elasticity": {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3},
    "eigenstrain": {
        "kind": "vegard",
        "partial_molar_volume": "2.415e-6 m^3/mol",
        "site_concentration": "18500 mol/m^3",
    },
    "output": {"pictures": False, "fields": False},
}
X = np.tile(np.linspace(0.1, 0.3, SHAPE[1]), (SHAPE[0], 1))


def create_stress_case() -> Case:
    case = create_case()
    case.config = copy.deepcopy(STRESS)
    case.files = {"x.npy": X.copy(), "outline.geojson": SQUARE}
    return case


def spoil(where: object, value: float) -> Callable[[Case], None]:
    def change(case: Case) -> None:
        case.files["x.npy"][where] = value  # type: ignore[index]

    return change


def drop(name: str) -> Callable[[Case], None]:
    return lambda case: case.config.pop(name)


PHASES = {"kind": "phases", "site_concentration": "18500 mol/m^3"}
VOLUMES = {"kind": "molar_volumes", "lithium": [0.1, 0.3]}
LOADED: dict[str, tuple[list[Callable[[Case], None]], list[str]]] = {
    "map of NaN": ([spoil(np.s_[:], np.nan)], ["x.npy", "NaN"]),
    "nothing left after erosion": (
        [
            files(m__npy=np.pad(np.ones((3, 3), dtype=bool), ((9, 28), (9, 36)))),
            put("composition.mask", "m.npy"),
            put("treatment.erosion", 2),
        ],
        ["treatment"],
    ),
    "map cut short": ([files(x__npy=b"\x93NUMPY")], ["x.npy"]),
    "mask of another shape": (
        [files(m__npy=np.ones((2, 2), dtype=bool)), put("composition.mask", "m.npy")],
        ["m.npy"],
    ),
    "uncertainty of another shape": (
        [files(u__npy=np.ones((2, 2))), put("composition.uncertainty", "u.npy")],
        ["composition.uncertainty"],
    ),
    "no outline": ([drop("outline")], ["outline.file", "missing"]),
    "outline that is no GeoJSON": ([files(outline__geojson=b"{}")], ["outline.geojson"]),
    "unknown particle": ([put("outline.particle", 2)], ["particle"]),
    "rollers without a border": ([put("boundary", "border_rollers")], ["boundary", "no border"]),
    "both sources": (
        [
            files(**{"stack__npz": b"x", "standards__csv": b"x"}),
            put("measurement", create_case().config),
        ],
        ["composition", "exactly one of composition and measurement"],
    ),
    "no source": ([drop("composition")], ["composition"]),
    "file that is no measurement": (
        [put("composition", {"kind": "measurement", "file": "x.npy"}), drop("outline")],
        ["x.npy", "measure"],
    ),
    "field that is not there": (
        [
            put("composition", {"kind": "field", "file": "outline.geojson"}),
            drop("outline"),
        ],
        ["outline.geojson"],
    ),
    "measured thickness of a map": ([put("mesh.thickness", "measured")], ["mesh.thickness"]),
    "layers in 2-D": ([put("mesh.layers", 4)], ["mesh.layers"]),
    "cells too coarse": ([put("mesh.size", "5 um")], ["mesh.size"]),
    "plane strain in 3-D": (
        [put("mesh.thickness", "50 nm"), put("assumption", "plane_strain")],
        ["assumption"],
    ),
    "overlapping phases": (
        [
            put(
                "phase",
                [
                    {"name": "a", "lowest": 0.0, "highest": 0.2},
                    {"name": "b", "lowest": 0.1, "highest": 0.3},
                ],
            )
        ],
        ["phase.1.lowest"],
    ),
    "phase called all": (
        [put("phase", [{"name": "all", "lowest": 0.0, "highest": 0.2}])],
        ["phase.0.name"],
    ),
    "percentile above 100": ([put("statistics.percentiles", [101.0])], ["percentiles"]),
    "tips longer than the wire": ([put("statistics.tip_widths", 9.0)], ["statistics.tip_widths"]),
    "phase windows that overlap": (
        [
            put(
                "eigenstrain",
                PHASES
                | {
                    "phases": [
                        {"lowest": 0.0, "highest": 0.2, "partial_molar_volume": "2e-6 m^3/mol"},
                        {"lowest": 0.1, "highest": 0.3, "partial_molar_volume": "2e-6 m^3/mol"},
                    ]
                },
            )
        ],
        ["eigenstrain.phases.1.lowest"],
    ),
    "tensor that is not symmetric": (
        [put("eigenstrain", {"kind": "tensor", "tensor": [[0.0, 0.1, 0.0], [0.0] * 3, [0.0] * 3]})],
        ["eigenstrain.tensor", "symmetric"],
    ),
    "volumes that do not match": (
        [put("eigenstrain", VOLUMES | {"volumes": ["5.4e-5 m^3/mol"] * 3})],
        ["eigenstrain.volumes"],
    ),
    "lattice table without cells": (
        [
            files(phases__csv=b"name,x\nalpha,0.1\n"),
            put("eigenstrain", {"kind": "lattice", "file": "phases.csv", "axes": "bca"}),
        ],
        ["phases.csv"],
    ),
    "axes that name an edge twice": (
        [
            files(phases__csv=b"name,x\nalpha,0.1\n"),
            put("eigenstrain", {"kind": "lattice", "file": "phases.csv", "axes": "bba"}),
        ],
        ["eigenstrain.axes", "each of the edges"],
    ),
    "negative samples": ([put("uncertainty.samples", -1)], ["uncertainty.samples"]),
}


@pytest.mark.parametrize("name", LOADED)
def test_stress(name, folder, capfd):
    changes, pieces = LOADED[name]
    case = create_stress_case()
    for change in changes:
        change(case)
    refuse(folder, "stress", case, pieces, capfd)


def test_the_stress_case_itself_is_valid(folder):
    if COMM.rank == 0:
        write(create_stress_case(), folder)
    COMM.Barrier()
    assert main(["stress", "input.toml"]) == 0
    COMM.Barrier()
    assert (folder / "input-results" / "stress.csv").exists()


def test_the_table_is_long_enough():
    assert len(MEASURE) + len(LOADED) >= 80

"""Faults that show only when the particle is meshed: one message, exit code 2, nothing written."""

from pathlib import Path

import meshio
import numpy as np
import pytest
import tomli_w
from box import BOX, ELASTIC, MATERIAL
from mpi4py import MPI

from chemomech.cli import main

COMM = MPI.COMM_WORLD
ARC = {"kind": "nanowire", "width": "20 nm", "legs": "10 nm", "bend_angle": "90 deg"}
CURVE = {"kind": "outline", "file": "outline.geojson", "unit": "1 nm"}
IMAGE = {"kind": "outline", "file": "image.npy", "pixel_size": "5 nm"}
MESH = {"kind": "mesh", "file": "mesh.vtu", "unit": "1 nm"}
SQUARE = [[0, 0], [40, 0], [40, 40], [0, 40], [0, 0]]
CROSSED = [[0, 0], [40, 40], [40, 0], [0, 40], [0, 0]]


def configure(**tables):
    return {
        "geometry": BOX,
        "material": MATERIAL,
        "initial": {"kind": "uniform", "mean": 0.5},
        "time": {"end": "0.01 s"},
        # Some meshes are too small for those of three ranks.
        "checkpoint": {"interval": "off"},
        **tables,
    }


def support(kind, group, **more):
    return {"mechanics": {**ELASTIC, "boundary": [{"kind": kind, "group": group, **more}]}}


def polygon(*curves):
    return f'{{"type": "Polygon", "coordinates": {list(curves)}}}'


def write_grid(path, size=40.0, kinds=("quad",)):
    points = np.array([[0, 0, 0], [size, 0, 0], [size, size, 0], [0, size, 0]], dtype=float)
    corners = {"quad": [[0, 1, 2, 3]], "triangle": [[0, 1, 2]], "line": [[0, 1]]}
    meshio.Mesh(points, [(kind, np.array(corners[kind])) for kind in kinds]).write(path)


def write_bodies(path):
    square = np.array([[0, 0, 0], [10, 0, 0], [10, 10, 0], [0, 10, 0]], dtype=float)
    corners = np.array([[0, 1, 2, 3], [4, 5, 6, 7]])
    meshio.Mesh(np.vstack([square, square + np.array([10.5, 0, 0])]), [("quad", corners)]).write(
        path
    )


def write_branch(path):
    """A T of squares: 9 of them in a row, and a stem of 4."""
    origins = np.array([[x, 0] for x in range(9)] + [[4, y] for y in range(1, 5)])
    corners = origins[:, None] + np.array([[0, 0], [1, 0], [1, 1], [0, 1]])
    points, number = np.unique(corners.reshape(-1, 2), axis=0, return_inverse=True)
    places = 10.0 * np.column_stack([points, np.zeros(len(points))])
    meshio.Mesh(places, [("quad", number.reshape(-1, 4))]).write(path)


def write_image(path):
    np.save(path, np.pad(np.ones((8, 8)), 4))


# tables, what a file holds or who writes it, pieces of the message
CASES = {
    "reaction group": (
        configure(reaction=[{"kind": "constant_flux", "group": "lft", "value": "1e-10 m/s"}]),
        {},
        ["'lft'", "did you mean 'left'"],
    ),
    "reaction without its square root": (
        configure(
            reaction=[
                {"kind": "paper_eq25_literal", "group": "surface", "rate_constant": "1e-9 m/s"}
            ],
            schedule={"step": [{"kind": "potentiostatic", "mu_res": "0 J/mol"}]},
            initial={"kind": "uniform", "mean": 0.1},
            material=configure()["material"]
            | {"free_energy": {"kind": "regular_solution", "chi": 2.2}}
            | {"gradient": {"kappa": "5e-14 J*m^2/mol"}},
        ),
        {},
        ["reaction.0.kind", "square root of mu", "butler_volmer"],
    ),
    "current in the wrong unit": (
        configure(
            geometry=MESH | {"unit": "0.01 nm"},
            reaction=[{"kind": "butler_volmer", "group": "surface", "rate_constant": "1e-9 m/s"}],
            schedule={
                "step": [
                    {"kind": "galvanostatic", "direction": "lithiate", "current": "1 nA"}
                    | {"duration": "1 s"}
                ]
            },
        ),
        {"mesh.vtu": write_grid},
        ["schedule.step.0.current", "A/m"],
    ),
    "noise without a depth": (
        configure(geometry=MESH | {"unit": "0.01 nm"}, noise={"interval": "1 ms"}),
        {"mesh.vtu": write_grid},
        ["noise.depth", "is missing"],
    ),
    "support group": (
        configure(**support("clamped", "start")),
        {},
        ["'start'", "known groups: bottom, left, right, surface, top"],
    ),
    "traction group": (
        configure(**support("traction", "tpo", value=["1 MPa", "0 MPa"])),
        {},
        ["did you mean 'top'"],
    ),
    "roller on a curve": (
        configure(geometry=ARC | {"bend_radius": "40 nm"}, **support("roller", "inner")),
        {},
        ["mechanics.boundary.0", "inner"],
    ),
    "formula out of bounds": (
        configure(initial={"kind": "formula", "formula": "x / 10"}),
        {},
        ["initial"],
    ),
    "formula with an unknown name": (
        configure(initial={"kind": "formula", "formula": "0.5 + 0.1*w"}),
        {},
        ["initial", "w"],
    ),
    "formula along a wire in a box": (
        configure(initial={"kind": "formula", "formula": "0.5 + 0.1*cos(along/20)"}),
        {},
        ["initial.formula", "'along'", 'geometry.kind = "nanowire"'],
    ),
    "formula that is none": (
        configure(initial={"kind": "formula", "formula": "0.5 +"}),
        {},
        ["initial"],
    ),
    "table without its header": (
        configure(initial={"kind": "file", "file": "c.csv"}),
        {"c.csv": "1,2,0.5\n"},
        ["c.csv", "x_nm"],
    ),
    "table of words": (
        configure(initial={"kind": "file", "file": "c.csv"}),
        {"c.csv": "x_nm,y_nm,c\n1,2,half\n"},
        ["c.csv"],
    ),
    "table out of bounds": (
        configure(initial={"kind": "file", "file": "c.csv"}),
        {"c.csv": "x_nm,y_nm,c\n0,0,1.5\n40,0,1.5\n0,20,1.5\n40,20,1.5\n"},
        ["initial"],
    ),
    "outline that crosses itself": (
        configure(geometry=CURVE),
        {"outline.geojson": polygon(CROSSED)},
        ["outline.geojson", "cross"],
    ),
    "hole outside": (
        configure(geometry=CURVE),
        {"outline.geojson": polygon(SQUARE, [[50, 50], [60, 50], [60, 60], [50, 50]])},
        ["outline.geojson"],
    ),
    "outline of two points": (
        configure(geometry=CURVE),
        {"outline.geojson": polygon([[0, 0], [1, 1], [0, 0]])},
        ["outline.geojson"],
    ),
    "outline of text": (
        configure(geometry=CURVE),
        {"outline.geojson": "a square"},
        ["outline.geojson"],
    ),
    "outline without a polygon": (
        configure(geometry=CURVE),
        {"outline.geojson": '{"type": "Point", "coordinates": [0, 0]}'},
        ["outline.geojson"],
    ),
    "too many particles": (
        configure(geometry=CURVE | {"particle": 2}),
        {"outline.geojson": polygon(SQUARE)},
        ["geometry.particle", "between 1 and 1"],
    ),
    "image of text": (configure(geometry=IMAGE), {"image.npy": "pixels"}, ["image.npy"]),
    "image without contrast": (
        configure(geometry=IMAGE),
        {"image.npy": lambda path: np.save(path, np.ones((9, 9)))},
        ["image.npy", "brightness"],
    ),
    "region outside the image": (
        configure(geometry=IMAGE | {"region": [[50, 50], [60, 50], [60, 60]]}),
        {"image.npy": write_image},
        ["geometry.region", "outside"],
    ),
    "mesh of text": (configure(geometry=MESH), {"mesh.vtu": "cells"}, ["mesh.vtu"]),
    "mesh of lines": (
        configure(geometry=MESH),
        {"mesh.vtu": lambda path: write_grid(path, kinds=["line"])},
        ["mesh.vtu", "triangles"],
    ),
    "mesh of two kinds of cells": (
        configure(geometry=MESH),
        {"mesh.vtu": lambda path: write_grid(path, kinds=["quad", "triangle"])},
        ["mesh.vtu", "one type"],
    ),
    "mesh of two bodies": (
        configure(geometry=MESH),
        {"mesh.vtu": write_bodies},
        ["mesh.vtu", "2 parts", "(10.5, 0) to (20.5, 10)", "parts 1 and 2 are 0.5 apart"],
    ),
    "mesh of a branched wire": (
        configure(
            geometry=MESH | {"unit": "0.1 nm"},
            mechanics=ELASTIC
            | {
                "elasticity": {"kind": "cubic", "frame": "wire"}
                | {"c11": "60 GPa", "c12": "20 GPa", "c44": "15 GPa"}
            },
        ),
        {"mesh.vtu": write_branch},
        ["mechanics.elasticity.frame", "Which ends are meant?", "'start' and 'end'"],
    ),
    "diffusion along a branched wire": (
        configure(
            geometry=MESH | {"unit": "0.1 nm"},
            material=MATERIAL
            | {
                "mobility": {"kind": "constant", "diffusivity": "1e-15 m^2/s"}
                | {"anisotropy": {"values": [1, 0.1, 0.1], "frame": "wire"}}
            },
        ),
        {"mesh.vtu": write_branch},
        ["material.mobility.anisotropy.frame", "Which ends are meant?"],
    ),
    "mesh too coarse": (
        configure(geometry=MESH),
        {"mesh.vtu": write_grid},
        ["geometry.file", "too coarse", "mesh.allow_coarse"],
    ),
    "mesh of another dimension than the assumption": (
        configure(
            geometry=MESH | {"unit": "0.01 nm"},
            mechanics=ELASTIC | {"assumption": "three_dimensional"},
        ),
        {"mesh.vtu": write_grid},
        ["mechanics.assumption"],
    ),
    "PETSc type that is none": (
        configure(solver={"petsc": {"ksp_type": "gmrse"}}),
        {},
        ["solver.petsc", "ksp_type"],
    ),
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """One working directory for all ranks."""
    shared = Path(COMM.bcast(str(tmp_path)))
    COMM.barrier()
    monkeypatch.chdir(shared)
    yield shared
    COMM.barrier()


@pytest.mark.parametrize("command", ["validate", "run"])
@pytest.mark.parametrize("case", CASES)
def test_refusal(folder, capfd, command, case):
    table, files, pieces = CASES[case]
    if command == "validate" and case.startswith(("PETSc", "reaction without")):
        pytest.skip("only a solver finds out")
    if COMM.rank == 0:
        (folder / "input.toml").write_text(tomli_w.dumps(table))
        for name, content in files.items():
            if callable(content):
                content(folder / name)
            else:
                (folder / name).write_text(content)
    COMM.barrier()
    before = sorted(folder.iterdir())
    COMM.barrier()
    assert main([command, "input.toml"]) == 2
    errors = capfd.readouterr().err
    COMM.barrier()
    assert sorted(folder.iterdir()) == before
    assert "Traceback" not in errors
    assert errors.count("chemomech: error: ") == (COMM.rank == 0)
    if COMM.rank == 0:
        message = errors[errors.index("chemomech: error: ") :]
        assert all(piece in message for piece in pieces)


def test_used_output_folder_is_found_before_the_mesh(folder, capfd):
    # The missing group would be found with the mesh: the cheap check comes first.
    table = configure(reaction=[{"kind": "no_flux", "group": "nowhere"}])
    if COMM.rank == 0:
        (folder / "input.toml").write_text(tomli_w.dumps(table))
        (folder / "used").mkdir()
        (folder / "used" / "precious.txt").touch()
    COMM.barrier()
    for output in ("used", "input.toml", "input.toml/below"):
        assert main(["run", "input.toml", "--output", output]) == 2
        if COMM.rank == 0:
            assert "error: --output: " in capfd.readouterr().err
    COMM.barrier()
    assert [path.name for path in (folder / "used").iterdir()] == ["precious.txt"]

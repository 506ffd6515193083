"""Text that an editor or a spreadsheet saved with a byte-order mark is read like any other."""

import numpy as np
import pytest
from dolfinx import fem
from dolfinx.mesh import create_unit_square
from mpi4py import MPI

from chemomech.config import Config, MeasurementConfig, StressConfig, load_config
from chemomech.errors import InputError
from chemomech.imaging.image_files import read_map, read_mask
from chemomech.imaging.spectra import _read_spectra
from chemomech.materials.lattice import read_phases
from chemomech.materials.stoney import read_curvature
from chemomech.output.ledger import name_columns, read_ledger
from chemomech.problems.initial_composition import FromFile
from chemomech.sweeps.definition import SweepConfig
from chemomech.text_files import read_text

LEDGER = name_columns(2)


@pytest.fixture(params=["utf-8", "utf-8-sig"])
def write(tmp_path, request):
    def save(text):
        path = tmp_path / "written.txt"
        path.write_text(text, encoding=request.param)
        return path

    return save


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (read_map, "1,2\n3,4\n", [[1.0, 2.0], [3.0, 4.0]]),
        (lambda path: read_mask(path, (2, 2)), "0,1\n1,0\n", [[0, 1], [1, 0]]),
        (lambda path: read_mask(path, (2, 2)), "x \n x\n", [[0, 1], [1, 0]]),
        (lambda path: _read_spectra(path)[0].energies, "515,1\n516,2\n", [515.0, 516.0]),
        (
            lambda path: read_curvature(path, positive_side="concave").curvature,
            "time_s,curvature_1/m\n0,1\n1,2\n",
            [1.0, 2.0],
        ),
        (
            lambda path: [phase.a for phase in read_phases(path)],
            "name,x,a_nm,b_nm,c_nm,formula_units\nalpha,0,1,2,3,2\n",
            [1e-9],
        ),
        (
            lambda path: read_ledger(path)[LEDGER[1]],
            f"{','.join(LEDGER)}\n{','.join('7' for _ in LEDGER)}\n",
            [7],
        ),
    ],
    ids=["map", "mask table", "drawn mask", "spectrum", "curvature", "cells", "ledger"],
)
def test_tables(write, read, text, expected):
    np.testing.assert_allclose(np.asarray(read(write(text)), dtype=float), expected, rtol=1e-12)


def test_initial_composition(write):
    c = fem.Function(fem.functionspace(create_unit_square(MPI.COMM_SELF, 2, 2), ("Lagrange", 1)))
    FromFile(write("x_nm,y_nm,c\n0,0,0.25\n1,0,0.25\n0,1,0.25\n")).apply(c, 1e-9, (0.0, 1.0))
    np.testing.assert_allclose(c.x.array, 0.25)


@pytest.mark.parametrize("model", [Config, MeasurementConfig, StressConfig, SweepConfig])
def test_configurations(write, model):
    # A key that no table has is only found out where the text was understood.
    with pytest.raises(InputError, match=r"written\.txt: unheard_of: "):
        load_config(write("unheard_of = 1\n"), MPI.COMM_SELF, model=model)


def test_one_byte_letters_are_named(tmp_path):
    path = tmp_path / "old.geojson"
    path.write_bytes("{} µm".encode("latin-1"))
    with pytest.raises(InputError, match=r"old\.geojson: is no text file in UTF-8"):
        read_text(path)

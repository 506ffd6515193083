"""Spectra and the tables they come in."""

from pathlib import Path

import numpy as np
import pytest

from chemomech.errors import InputError
from chemomech.imaging.spectra import Spectrum, _read_spectra, read_spectrum, write_spectra

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "stxm"

XAS = """\
*********************  X-ray Absorption Data  ********************
*
* Formula: V2O5
* Edge: V L
*-------------------------------------------------------------------
 515.0, 0.25
 516.5, 1.5
 520.0, 0.75
"""
SAME = {
    "standard.xas": XAS,
    "standard.csv": "energy (eV),standard\n515.0,0.25\n516.5,1.5\n520,0.75\n",
    "standard.tab": "energy (keV),standard\n0.515,0.25\n0.5165,1.5\n0.52,0.75\n",
    "standard.prn": "0.515,0.25\n0.5165,1.5\n0.52,0.75\n",
    "standard.txt": "% 1-d\n% standard\n3\n515.0 0.25\n516.5  1.5\n520.0 0.75\n\n",
    "standard.dat": "! tabs\n515.0\t0.25\n516.5\t\t1.5\n520.0\t0.75\r\n",
    "standard.xsp": "5.150E+2 2.5E-1\n5.165E+2 1.5E+0\n5.200E+2 7.5E-1",
    "standard.t": "# falls\n520.0;0.75\n516.5;1.5\n515.0;0.25\n",
    "standard.asc": "\ufeff515.0 , 0.25\n516.5 , 1.5\n520.0 , 0.75\n",
}


@pytest.mark.parametrize("name", SAME)
def test_ways_to_write_a_spectrum(tmp_path, name):
    path = tmp_path / name
    path.write_text(SAME[name], encoding="utf-8")
    spectrum = read_spectrum(path)
    assert np.array_equal(spectrum.energies, [515.0, 516.5, 520.0])
    assert np.array_equal(spectrum.values, [0.25, 1.5, 0.75])
    assert spectrum.name == "standard"


def test_energies_said_to_be_in_ev_but_too_low_for_x_rays(tmp_path):
    path = tmp_path / "standard.csv"
    path.write_text("energy (eV),standard\n0.515,0.25\n0.52,0.75\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"0.515 to 0.52 eV.*keV") as caught:
        read_spectrum(path)
    assert caught.value.path == str(path)


def test_several_columns(tmp_path):
    path = tmp_path / "standards.csv"
    path.write_text("energy,alpha,delta\n515.0,1,3\n516.0,2,4\n", encoding="utf-8")
    assert [spectrum.name for spectrum in _read_spectra(path)] == ["alpha", "delta"]
    assert np.array_equal(read_spectrum(path, column=2).values, [3.0, 4.0])
    path.write_text("515.0,1,3\n516.0,2,4\n", encoding="utf-8")
    assert [spectrum.name for spectrum in _read_spectra(path)] == ["standards 1", "standards 2"]
    for column in (0, 3):
        with pytest.raises(InputError, match="has 2 of values"):
            read_spectrum(path, column)


def test_interpolation_is_linear():
    spectrum = Spectrum(np.array([515.0, 517.0, 518.0]), np.array([1.0, 3.0, 0.0]))
    wanted = np.array([515.0, 516.0, 517.75, 518.0])
    assert np.array_equal(spectrum.at(wanted), [1.0, 2.0, 0.75, 0.0])
    # What rounding in another file leaves counts as within.
    assert spectrum.at(np.array([514.9999, 518.0001])) == pytest.approx([1.0, 0.0])


@pytest.mark.parametrize("energy", [514.9, 518.1, np.nan])
def test_nothing_is_extrapolated(energy):
    spectrum = Spectrum(np.array([515.0, 518.0]), np.array([1.0, 3.0]), "alpha")
    with pytest.raises(InputError, match=r"alpha.*515 to 518 eV"):
        spectrum.at(np.array([516.0, energy]))


@pytest.mark.parametrize(
    ("energies", "values"),
    [
        ([515.0, 516.0], [1.0]),
        ([[515.0]], [[1.0]]),
        ([], []),
        ([516.0, 515.0], [1.0, 2.0]),
        ([515.0, 515.0], [1.0, 2.0]),
        ([515.0, 516.0], [1.0, np.nan]),
        ([515.0, np.inf], [1.0, 2.0]),
    ],
)
def test_spectra_that_are_none(energies, values):
    with pytest.raises(InputError):
        Spectrum(np.array(energies), np.array(values))


def test_written_spectra_are_read_back_exactly(tmp_path):
    energies = 515.0 + np.arange(5) / 3
    values = {"alpha phase": np.sqrt(np.arange(5.0)), "delta": -np.ones(5) / 7}
    path = tmp_path / "clusters.csv"
    write_spectra(path, energies, values)
    read = _read_spectra(path)
    assert [spectrum.name for spectrum in read] == list(values)
    for spectrum, expected in zip(read, values.values(), strict=True):
        assert np.array_equal(spectrum.energies, energies)
        assert np.array_equal(spectrum.values, expected)
    with pytest.raises(InputError, match="exists already"):
        write_spectra(path, energies, values)


@pytest.mark.parametrize(
    ("folder", "values"),
    [
        (".", {}),
        (".", {"alpha": np.ones(2)}),
        (".", {"alpha": np.full(3, np.nan)}),
        (".", {"a,b": np.ones(3)}),
        (".", {" ": np.ones(3)}),
        ("missing", {"alpha": np.ones(3)}),
    ],
)
def test_what_cannot_be_written(tmp_path, folder, values):
    path = tmp_path / folder / "spectra.csv"
    with pytest.raises(InputError):
        write_spectra(path, np.array([1.0, 2.0, 3.0]), values)
    assert not path.exists()


BROKEN = {
    "empty": ("", "empty"),
    "blank": ("\n \n", "empty"),
    "comments only": ("# nothing\n! at all\n", "comments only"),
    "heading only": ("energy,counts\n", "no numbers"),
    "one column": ("515\n516\n520\n", "one column"),
    "a word": ("515,1\n516,high\n", "line 2: 'high' is no number"),
    "a hole": ("515,1\n516,\n", "line 2: '' is no number"),
    "a second heading": ("energy,a\n515,1\nenergy,b\n516,2\n", "line 3"),
    "a line cut short": ("# I0\n515 1 2\n516 1\n", "line 3 holds 1|line 3 holds 2"),
    "a line too long": ("515,1\n516,1,2\n", "line 2 holds 3"),
    "heading of another length": ("energy,a\n515,1,2\n", "names 2 columns"),
    "energy twice": ("# I0\n515,1\n\n515,2\n", "line 4: 515 eV follows 515 eV"),
    "energies out of order": ("515,1\n517,2\n516,3\n", "line 3: 516 eV follows 517 eV"),
    "energy negative": ("-1,1\n2,2\n", "greater than zero"),
    "energy infinite": ("1,1\ninf,2\n", "finite"),
    "value missing": ("515,1\n516,nan\n", "516 eV is nan"),
    "binary": ("\0\1\2", "no text"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_refused(tmp_path, name):
    text, message = BROKEN[name]
    path = tmp_path / "broken.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        read_spectrum(path)
    assert caught.value.path == str(path)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_spectrum(tmp_path / "nothing.xas")


@pytest.mark.parametrize("name", ["i0.xsp", "oxidized.t", "oxidized.r", "reduced.t", "reduced.r"])
def test_measured_spectra(name):
    path = SHARED / "als_fe2p_71214078" / name
    if not path.is_file():
        pytest.skip(f"the measured spectra are not there: {name}")
    spectrum = read_spectrum(path)
    energies, values = np.loadtxt(path, unpack=True)
    assert np.array_equal(spectrum.energies, energies)
    assert np.array_equal(spectrum.values, values)
    assert spectrum.name == path.stem
    assert spectrum.energies.shape == (123,)

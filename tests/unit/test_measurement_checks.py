"""Measurements that can be computed but are hardly what was meant: each says so."""

import logging

import numpy as np
import pytest
from mpi4py import MPI

from chemomech.config import MeasurementConfig, format_config, load_config
from chemomech.config.measurement import OpticalDensityConfig
from chemomech.errors import InputError
from chemomech.geometry.outline import Outline
from chemomech.imaging.composition_map import CompositionMap
from chemomech.imaging.grid import PixelGrid
from chemomech.imaging.spectra import EndMembers
from chemomech.imaging.stack import Stack, mask_invalid_counts
from chemomech.imaging.view import View
from chemomech.mapping.analysis import analyse
from chemomech.mapping.inputs import find_incident
from chemomech.mapping.measurement_checks import (
    describe_full_outline,
    describe_impossible_x,
    describe_incomplete_frames,
)
from chemomech.mapping.measurement_report import create_report

SHAPE = (40, 48)
ENERGIES = np.linspace(510.0, 540.0, 16)
STEP = 0.1 + 0.6 / (1.0 + np.exp(516.0 - ENERGIES))
SPECTRA = STEP + 0.2 * np.exp(-(((ENERGIES - [[518.0], [524.0]]) / 3.0) ** 2))


@pytest.fixture
def counts():
    """A particle of 16 x 28 pixels, its left half poor and its right half rich in lithium."""
    density = np.zeros((len(ENERGIES), *SHAPE))
    density[:, 12:28, 10:24] = SPECTRA[0][:, None, None]
    density[:, 12:28, 24:38] = SPECTRA[1][:, None, None]
    return np.random.default_rng(0).poisson(3000.0 * np.exp(-density)).astype(np.float32)


@pytest.fixture
def configure(tmp_path, counts):
    """Write the stack and make a configuration: entries of tables replace the defaults."""

    def make(incident=None, **tables):
        arrays = {} if incident is None else {"incident": incident}
        np.savez(
            tmp_path / "stack.npz", counts=counts, energies=ENERGIES, pixel_size=35e-9, **arrays
        )
        np.savetxt(
            tmp_path / "standards.csv", np.column_stack([ENERGIES, SPECTRA.T]), delimiter=","
        )
        members = [
            {"name": name, "lithium": x, "file": str(tmp_path / "standards.csv"), "column": column}
            for name, x, column in (("poor", 0.1, 1), ("rich", 0.3, 2))
        ]
        return MeasurementConfig.model_validate(
            {
                "stack": {"file": str(tmp_path / "stack.npz"), **tables.pop("stack", {})},
                "alignment": {"enabled": False},
                "end_member": members,
                **tables,
            }
        )

    return make


def test_a_sound_measurement_raises_no_doubt(configure):
    found = analyse(configure())
    assert not found.doubts
    assert found.outlines[0].area == pytest.approx(16 * 28 * (35e-9) ** 2, rel=0.02)
    assert "stack.npz" in found.source


def test_a_stopped_scan_does_not_crop_the_view_in_silence(configure, counts, caplog):
    counts[-1, 18:] = 0.0
    with caplog.at_level(logging.WARNING, logger="chemomech"):
        found = analyse(configure())
    assert found.measurement.composition.grid.shape == (18, 48)
    for words in ("540 eV (55% of its rows", 'leave_out = ["540 eV"]'):
        assert words in found.doubts["stack"]
        assert words in caplog.text
    assert create_report(configure(), found)["doubts"] == found.doubts
    whole = analyse(configure(stack={"leave_out": ["540 eV"]}))
    assert not whole.doubts
    assert whole.view.is_whole
    assert np.array_equal(whole.measurement.energies, ENERGIES[:-1])
    assert whole.outlines[0].area == pytest.approx(16 * 28 * (35e-9) ** 2, rel=0.02)


def test_frames_left_out_are_on_record_and_read_back(configure, tmp_path):
    config = configure(stack={"leave_out": [3, "540 eV"]})
    (tmp_path / "config.toml").write_text(format_config(config), encoding="utf-8")
    again = load_config(tmp_path / "config.toml", MPI.COMM_SELF, model=MeasurementConfig)
    assert again.stack.leave_out == (3, 540.0)
    found = analyse(again)
    assert np.array_equal(found.measurement.energies, np.delete(ENERGIES, [2, 15]))
    assert create_report(again, found)["stack"]["left_out"] == ["number 3", "540 eV"]


def test_borders_lost_by_aligned_frames_are_no_stopped_scan():
    counts = np.ones((4, *SHAPE), dtype=np.float32)
    for number, frame in enumerate(counts):
        frame[: 3 + number] = np.nan
    stack = Stack(counts, np.arange(510.0, 514.0), PixelGrid(*SHAPE, 35e-9, 35e-9))
    assert describe_incomplete_frames(stack) is None


def test_frames_without_light_in_columns_are_named():
    counts = np.ones((4, *SHAPE), dtype=np.float32)
    counts[1, :, 40:] = 4.0
    counts[[0, 2, 3]] = 9.0
    counts[1, :, :40] = 9.0
    stack = Stack(counts, np.arange(510.0, 514.0), PixelGrid(*SHAPE, 35e-9, 35e-9))
    assert "511 eV (0% of its rows, 17% of its columns)" in describe_incomplete_frames(
        mask_invalid_counts(stack, dark=5.0)
    )


def test_incident_of_another_stack_is_doubted_and_can_be_ignored(configure):
    # Five times the light there was: all of the image seems to absorb.
    elsewhere = np.full(16, 15000.0)
    found = analyse(configure(incident=elsewhere))
    assert "100% of the image" in found.doubts["outline"]
    assert "stored with the stack" in found.doubts["outline"]
    mended = analyse(
        configure(incident=np.full(16, 6000.0), optical_density={"incident": "brightest"})
    )
    assert not mended.doubts
    assert mended.incident_source == "the brightest pixels"
    assert mended.measurement.incident == pytest.approx(np.full(16, 3000.0), rel=0.01)


def test_what_was_doubtful_is_part_of_a_later_error(configure):
    # Five times the light there was, and then a share that no pixel can have.
    config = configure(incident=np.full(16, 15000.0), composition={"min_amount": 5.0})
    with pytest.raises(InputError, match=r"Before that: .*100% of the image") as caught:
        analyse(config)
    assert caught.value.key == "composition.minimum_thickness"


def test_impossible_lithium_is_doubted(configure):
    # Light that dims where only one of the phases absorbs: empty pixels look like that phase.
    incident = 3000.0 * np.exp(0.3 * (SPECTRA[0] - SPECTRA[1]) / 0.2)
    doubt = analyse(configure(incident=incident)).doubts["composition"]
    assert "trusted pixels have a lithium content that cannot be" in doubt


def test_stored_incident_is_used_when_it_is_asked_for():
    stack = Stack(
        np.ones((2, 3, 4), dtype=np.float32),
        np.array([510.0, 520.0]),
        PixelGrid(3, 4, 35e-9, 35e-9),
        np.array([2.0, 3.0]),
    )
    for incident in ("auto", "stored"):
        found = find_incident(stack, OpticalDensityConfig(incident=incident), View.find(stack))
        assert np.array_equal(found.counts, [2.0, 3.0])


def create_map(values, uncertainty):
    values = np.asarray(values, dtype=np.float64)
    return CompositionMap(
        PixelGrid(*values.shape, 35e-9, 35e-9),
        values,
        np.full(values.shape, uncertainty),
        np.ones(values.shape, dtype=bool),
        "normalised",
        "",
    )


def create_end_members(largest):
    return EndMembers(("poor", "rich"), np.array([0.0, largest]), np.ones((2, 3)), None, ("", ""))


@pytest.mark.parametrize(
    ("level", "largest", "doubtful"),
    [(0.0, 0.4, False), (1.0, 0.4, False), (-0.1, 0.4, True), (1.2, 0.4, True), (1.9, 2.0, False)],
)
def test_noise_about_a_possible_lithium_content_is_no_doubt(level, largest, doubtful):
    rng = np.random.default_rng(1)
    composition = create_map(level + 0.02 * rng.standard_normal((50, 50)), 0.02)
    assert (describe_impossible_x(composition, create_end_members(largest)) is not None) == doubtful


@pytest.mark.parametrize(("share", "doubtful"), [(0.9, False), (0.99, True)])
def test_outline_of_nearly_all_the_image_is_doubted(share, doubtful):
    grid = PixelGrid(11, 21, 35e-9, 70e-9)
    # From pixel centre to pixel centre the image is 1.4 x 0.35 um.
    width, height = share * 1.4e-6, 0.35e-6
    outline = Outline(np.array([[0.0, 0.0], [width, 0.0], [width, height], [0.0, height]]))
    assert (describe_full_outline([outline], grid, "a file") is not None) == doubtful

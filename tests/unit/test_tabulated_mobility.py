"""Diffusivities from a file, and of a configuration that keeps them."""

import pytest
from box import MATERIAL, create_tables

from chemomech.config import create_config, format_config
from chemomech.config.loading import load_stored_config
from chemomech.errors import InputError

ENTRIES = "0,1e-15\n0.4,2e-16\n1,1e-15\n"


def load(folder, header="c,diffusivity_m2_per_s", **more):
    (folder / "diffusion.csv").write_text(f"{header}\n{ENTRIES}")
    table = {"kind": "table", "file": "diffusion.csv", **more}
    return create_config(create_tables(material=MATERIAL | {"mobility": table}), folder)


def test_results_keep_the_entries(tmp_path):
    """What counts is what the file held."""
    config = load(tmp_path)
    (tmp_path / "diffusion.csv").unlink()
    mobility = config.material.mobility
    assert mobility.diffusivities == (1e-15, 2e-16, 1e-15)
    assert mobility.evaluate(0.2) == pytest.approx(0.16 * (1e-15 * 2e-16) ** 0.5, rel=1e-12)
    assert config.material.scales.diffusivity == 1e-15
    (tmp_path / "config.toml").write_text(format_config(config))
    assert load_stored_config(tmp_path / "config.toml") == config


def test_other_columns_are_refused(tmp_path):
    with pytest.raises(InputError, match="needs the header c,diffusivity_m2_per_s") as caught:
        load(tmp_path, "c,D")
    assert caught.value.key == "material.mobility.file"


def test_a_table_of_mobilities_needs_no_fractions(tmp_path):
    assert load(tmp_path, factor="none").material.mobility.evaluate(0.4) == pytest.approx(
        2e-16, rel=0.1
    )

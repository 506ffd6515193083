"""``--set`` and ``--unset`` change a file that states something else in their place."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from mpi4py import MPI

from chemomech.config import MeasurementConfig, StressConfig, load_config
from chemomech.config.base import Section, list_sections
from chemomech.config.model import Config
from chemomech.config.overrides import apply_overrides
from chemomech.config.templates import create_template
from chemomech.errors import InputError
from chemomech.sweeps.cases import read_sweep
from chemomech.sweeps.definition import SweepConfig

COMM = MPI.COMM_WORLD


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """The file that ``chemomech init`` writes, one for all ranks."""
    path: Path = COMM.bcast(tmp_path, root=0) / "wire.toml"
    if COMM.rank == 0:
        path.write_text(create_template("simulation"))
    COMM.Barrier()
    return path


def test_kappa_replaces_the_interface_width_of_the_template(template: Path) -> None:
    config = load_config(template, COMM, ["material.gradient.kappa=2.8e-14 J*m^2/mol"])
    assert config.material.gradient.kappa == pytest.approx(2.8e-14, rel=1e-12)
    assert config.material.gradient.interface_width is None


def test_an_interval_of_snapshots_replaces_their_number(template: Path) -> None:
    config = load_config(template, COMM, ["output.interval=25 s"])
    assert config.snapshot_times == (25.0, 50.0, 75.0, 100.0)


@pytest.mark.parametrize(
    ("stated", "override", "left", "model"),
    [
        (
            'schedule.step = [{kind = "galvanostatic", c_rate = 1, direction = "lithiate"}]',
            "schedule.step.0.current=1 nA",
            {"kind": "galvanostatic", "direction": "lithiate", "current": "1 nA"},
            Config,
        ),
        (
            'schedule.step = [{kind = "potentiostatic", voltage = "3 V"}]',
            "schedule.step.0.mu_res=1 kJ/mol",
            {"kind": "potentiostatic", "mu_res": "1 kJ/mol"},
            Config,
        ),
        (
            'geometry = {kind = "outline", pixel_size = "35 nm"}',
            "geometry.unit=1 nm",
            {"kind": "outline", "unit": "1 nm"},
            Config,
        ),
        (
            'optical_density = {incident = "mask", mask = "m.png"}',
            "optical_density.region=[]",
            {"incident": "mask", "region": []},
            MeasurementConfig,
        ),
        (
            'measurement.end_member = [{name = "a", cluster = 1}]',
            "measurement.end_member.0.file=a.csv",
            {"name": "a", "file": "a.csv"},
            StressConfig,
        ),
    ],
)
def test_a_key_replaces_the_others_of_its_choice(
    stated: str, override: str, left: dict[str, Any], model: type[Section]
) -> None:
    table = tomllib.loads(stated)
    apply_overrides(table, [override], [], model)
    found: Any = table
    for part in override.split("=")[0].split(".")[:-1]:
        found = found[int(part)] if isinstance(found, list) else found[part]
    assert found == left


def test_a_key_within_a_table_replaces_the_table_of_its_choice() -> None:
    table = {"composition": {"kind": "map"}, "mesh": {"degree": 1}}
    apply_overrides(table, ["measurement.stack.file=a.h5"], [], StressConfig)
    assert table == {"measurement": {"stack": {"file": "a.h5"}}, "mesh": {"degree": 1}}


def list_all_sections(model: type[Section]) -> set[type[Section]]:
    inner = [s for f in model.model_fields.values() for s in list_sections(f.annotation)]
    return {model}.union(*map(list_all_sections, inner))


def test_choices_of_the_whole_schema_name_keys_that_may_be_left_out() -> None:
    sections = {s for m in (Config, StressConfig, SweepConfig) for s in list_all_sections(m)}
    choices = [(section, choice) for section in sections for choice in section.choices]
    assert len(choices) >= 9
    for section, choice in choices:
        for key in choice.keys:
            assert section.model_fields[key].default is None, (section, key)


def test_two_of_one_choice_on_the_command_line_are_refused(template: Path) -> None:
    overrides = [
        f"material.gradient.{x}" for x in ("kappa=1e-14 J*m^2/mol", "interface_width=9 nm")
    ]
    with pytest.raises(InputError, match="exactly one of kappa and interface_width"):
        load_config(template, COMM, overrides)


def test_unset_takes_a_table_out_of_the_file(template: Path) -> None:
    assert load_config(template, COMM).mechanics is not None
    assert load_config(template, COMM, unset=["mechanics"]).mechanics is None


def test_unset_lets_another_kind_be_stated(template: Path) -> None:
    law = "material.free_energy"
    config = load_config(
        template,
        COMM,
        [
            f"{law}.kind=polynomial",
            f"{law}.coefficients=[0, 0, 1, -2, 1]",
            f"{law}.bounds=[0, 1]",
            "material.gradient.kappa=1e-14 J*m^2/mol",
        ],
        unset=[f"{law}.chi"],
    )
    assert config.material.free_energy.kind == "polynomial"


@pytest.mark.parametrize("key", ["mechanic", "mechanics.prestrain", "reaction.0", ""])
def test_unset_of_what_is_not_stated_is_refused(template: Path, key: str) -> None:
    with pytest.raises(InputError, match="the file does not state it") as caught:
        load_config(template, COMM, unset=[key])
    assert caught.value.path == str(template)


@pytest.mark.skipif(COMM.size > 1, reason="sweeps are read by one rank")
def test_a_sweep_over_kappa_starts_from_the_template_and_leaves_keys_out(template: Path) -> None:
    file = template.with_name("sweep.toml")
    file.write_text(
        'base = "wire.toml"\nunset = ["mechanics"]\n'
        '[[axis]]\nkey = "material.gradient.kappa"\n'
        'values = ["2.8e-14 J*m^2/mol", "5.6e-14 J*m^2/mol"]\n'
    )
    configs = [case.config for case in read_sweep(file).cases]
    kappas = [config.material.gradient.kappa for config in configs]
    assert kappas == pytest.approx([2.8e-14, 5.6e-14], rel=1e-12)
    assert all(config.mechanics is None for config in configs)

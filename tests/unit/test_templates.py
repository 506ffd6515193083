"""Templates of measurements, stress maps and sweeps are valid, and show the defaults there are."""

import itertools
import re
import tomllib

import pytest
from mpi4py import MPI
from pydantic import BaseModel

from chemomech.cli import main
from chemomech.config import MeasurementConfig, StressConfig, create_config, load_config
from chemomech.config.templates import create_template
from chemomech.imaging.phantom_truth import PHASES
from chemomech.sweeps.definition import SweepConfig

COMM = MPI.COMM_WORLD
MODELS = {"measurement": MeasurementConfig, "stress": StressConfig, "sweep": SweepConfig}
#: Files the templates name.
NAMED = {
    "measurement": ("stack.nxs", "standards.csv"),
    "stress": ("measure-results/measurement.h5",),
    "sweep": ("simulation.toml",),
}
DEFAULTS = {
    "measurement": [
        "stack.scan_region = 1",
        "alignment.enabled = true",
        "alignment.max_iterations = 8",
        "alignment.tolerance = 0.01",
        'optical_density.incident = "auto"',
        'outline.level = "half_transmission"',
        "outline.simplify = 0.1",
        "pca.components = 6",
        "pca.centred = false",
        "pca.normalised = false",
        "clusters.seed = 0",
        "clusters.restarts = 10",
        "clusters.skip_first = false",
        "clusters.erosion = 1",
        "clusters.area_normalise = true",
        'unmixing.method = "plain"',
        "unmixing.constant = true",
        "unmixing.linear = false",
        'composition.reading = "normalised"',
        "composition.min_amount = 0.2",
        "output.pictures = true",
    ],
    "stress": [
        'assumption = "plane_stress"',
        'boundary = "free"',
        "treatment.erosion = 1",
        'treatment.smoothing = "0 nm"',
        "outline.particle = 1",
        "mesh.layers = 3",
        "mesh.degree = 2",
        "eigenstrain.reference_composition = 0.0",
        "statistics.percentiles = [5, 25, 50, 75, 95, 99]",
        "uncertainty.samples = 0",
        "uncertainty.seed = 0",
        "output.fields = true",
        "output.pictures = true",
    ],
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for all ranks, with files of the names the templates speak of."""
    shared = COMM.bcast(tmp_path)
    if COMM.rank == 0:
        for name in itertools.chain.from_iterable(NAMED.values()):
            (shared / name).parent.mkdir(exist_ok=True)
            (shared / name).write_text("not looked into")
    COMM.barrier()
    monkeypatch.chdir(shared)
    yield shared
    COMM.barrier()


def set_key(table, name, value):
    *parents, last = name.split(".")
    for parent in parents:
        table = table.setdefault(parent, {})
    table[last] = value


@pytest.mark.parametrize("subject", MODELS)
def test_init_writes_what_can_be_loaded(folder, subject):
    assert main(["init", "--for", subject]) == 0
    COMM.barrier()
    config = load_config(folder / f"{subject}.toml", COMM, model=MODELS[subject])
    assert isinstance(config, MODELS[subject])
    before = (folder / f"{subject}.toml").read_text()
    assert main(["init", "--for", subject]) == 2
    assert (folder / f"{subject}.toml").read_text() == before


@pytest.mark.parametrize("subject", DEFAULTS)
def test_commented_keys_show_the_defaults(folder, subject):
    """To uncomment them changes nothing."""
    text = create_template(subject)
    plain, shown = tomllib.loads(text), tomllib.loads(text)
    lines = text.splitlines()
    for default in DEFAULTS[subject]:
        name, _, value = default.partition(" = ")
        key = name.rpartition(".")[2]
        written = re.escape(f"# {key} = {value}")
        assert any(re.match(rf"{written}(\s|$)", line) for line in lines), default
        set_key(shown, name, tomllib.loads(f"value = {value}")["value"])
    model = MODELS[subject]
    assert create_config(shown, folder, model=model) == create_config(plain, folder, model=model)


def sections(annotation):
    """All tables that an annotation speaks of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from sections(field.annotation)
    for part in getattr(annotation, "__args__", ()):
        yield from sections(part)


@pytest.mark.parametrize("subject", MODELS)
def test_every_plain_key_of_the_chain_is_shown(subject):
    text = create_template(subject)
    top = MODELS[subject]
    left_out = set(sections(MeasurementConfig)) if subject == "stress" else set()
    for section in {*sections(top)} - left_out - {top}:
        # Laws of other kinds are explained in docs/.
        if section.__module__.endswith(".mechanics"):
            continue
        for key in section.model_fields:
            assert re.search(rf"\b{key}\b", text), f"{section.__name__}.{key}"


@pytest.mark.parametrize("wire", PHASES)
def test_phases_of_the_wire_fill_the_blanks(folder, wire):
    (poor, low), (rich, high) = PHASES[wire]
    assert "e-" not in re.search(r"lowest = (.*)", create_template("stress", wire=wire))[1]
    table = tomllib.loads(create_template("measurement", wire, dark=12.0))
    config = create_config(table, folder, model=MeasurementConfig)
    assert [(m.name, m.lithium) for m in config.end_member] == [(poor, low), (rich, high)]
    assert config.optical_density.dark == 12.0
    stress = create_config(
        tomllib.loads(create_template("stress", wire)), folder, model=StressConfig
    )
    below, above = stress.phase
    assert (below.name, above.name) == (poor, rich)
    assert below.lowest <= low < below.highest == above.lowest < high <= above.highest
    assert above.lowest == pytest.approx((low + high) / 2)


def test_no_blank_is_left():
    for subject in ("simulation", *MODELS):
        assert "$" not in create_template(subject)


@pytest.mark.parametrize("subject", MODELS)
def test_every_key_says_what_it_means(subject):
    """The documentation's list of keys is made of these."""
    silent = [
        f"{section.__name__}.{name}"
        for section in {*sections(MODELS[subject])}
        for name, field in section.model_fields.items()
        if not field.description and name != "kind" and not [*sections(field.annotation)]
    ]
    assert silent == []

"""Size, memory and time of a problem before anything is meshed."""

from types import SimpleNamespace

import pytest
from box import BOX, ELASTIC, create_tables
from mpi4py import MPI

from chemomech import machine, simulate, validate
from chemomech.config import create_config
from chemomech.errors import InputError
from chemomech.models import estimate, particle
from chemomech.models.particle import create_particle, create_shape

COMM = MPI.COMM_WORLD


def configure(size, mechanics=ELASTIC, **tables):
    table = {"geometry": BOX | {"size": size}, "mechanics": mechanics, "output": None}
    return create_config(create_tables(**table | tables))


def measure(config):
    return estimate.estimate_size(config, create_shape(config.geometry))


def test_ten_micrometres_are_64_million_unknowns():
    # 4000 x 4000 cells of 2.5 nm, and c, mu, u_x, u_y at each corner.
    size = measure(configure(["10 um", "10 um"]))
    assert size.cells == pytest.approx(16e6)
    assert size.unknowns == pytest.approx(64e6)
    assert estimate._format_count(size.unknowns) == "64 million"


@pytest.mark.parametrize("degree", [1, 2])
@pytest.mark.parametrize(
    ("box", "cell"),
    [
        (["400 nm", "200 nm"], "quadrilateral"),
        (["400 nm", "200 nm"], "triangle"),
        (["60 nm", "60 nm", "50 nm"], "hexahedron"),
    ],
)
def test_estimate_is_near_what_is_meshed(box, cell, degree):
    solver = {"degree_composition": degree, "degree_displacement": degree}
    config = configure(box, mesh={"cell": cell}, solver=solver)
    size = measure(config)
    domain = create_particle(config, COMM).domain
    quality = domain.quality()
    # Rows at the boundary are one more than cells; gmsh's triangles are smaller than asked for.
    assert size.vertices == pytest.approx(quality.vertices, rel=0.3)
    fields = 2 + domain.mesh.geometry.dim
    assert size.unknowns / size.vertices == fields * degree**domain.mesh.geometry.dim


@pytest.mark.parametrize(
    "act",
    [
        lambda config, folder: simulate(config, folder / "results", COMM, quiet=True),
        lambda config, folder: validate(config, COMM),
    ],
    ids=["run", "validate"],
)
def test_what_does_not_fit_into_the_memory_is_refused_unmeshed(tmp_path, monkeypatch, act):
    monkeypatch.setattr(particle, "find_memory", lambda comm: 24e9)
    monkeypatch.setattr(particle, "create_domain", None)
    with pytest.raises(InputError) as caught:
        act(configure(["10 um", "10 um"]), tmp_path)
    assert caught.value.key == "mesh.size"
    assert "about 64 million unknowns" in str(caught.value)
    assert "there are 24 GB of memory here" in str(caught.value)
    assert "mesh.allow_large = true" in str(caught.value)
    COMM.barrier()
    assert list(tmp_path.iterdir()) == []


def test_larger_than_the_memory_is_taken_where_the_user_says_so():
    size = measure(configure(["10 um", "10 um"]))
    with pytest.raises(InputError):
        estimate.require_memory(configure(["10 um", "10 um"]), size, 1, 24e9)
    allowed = configure(["10 um", "10 um"], mesh={"allow_large": True})
    estimate.require_memory(allowed, size, 1, 24e9)
    # One copy of the matrix on 9 couplings of 4 unknowns, 12 bytes each, is 28 GB alone.
    assert size.estimate_memory(size.choose_preset(allowed), 1) > 64e6 * 9 * 4 * 12


def test_run_and_validate_say_what_is_needed(caplog):
    caplog.set_level("INFO", "chemomech")
    said = validate(configure(["40 nm", "20 nm"]), COMM)
    assert "GB on" in said
    assert "for 250 steps" in said
    if COMM.rank == 0:
        assert f"about 512 unknowns, {0.3 * COMM.size:.2g} GB, and" in caplog.text


@pytest.mark.parametrize(
    ("own", "file"),
    [
        ("0::/user/job\n", "user/memory.max"),
        ("5:cpu:/other\n7:memory:/user/job\n", "memory/user/job/memory.limit_in_bytes"),
    ],
)
def test_limit_of_a_container_or_batch_system_counts(tmp_path, monkeypatch, own, file):
    (tmp_path / "own").write_text(own)
    limit = tmp_path / "groups" / file
    limit.parent.mkdir(parents=True)
    limit.write_text("3000000000\n")
    monkeypatch.setattr(machine, "_OWN", tmp_path / "own")
    monkeypatch.setattr(machine, "_GROUPS", tmp_path / "groups")
    memory = SimpleNamespace(total=24 * 10**9)
    monkeypatch.setattr(machine.psutil, "virtual_memory", lambda: memory)
    # Ranks of one machine count it once.
    assert machine.find_memory(COMM) == 3e9
    limit.write_text("max\n")
    assert machine.find_memory(COMM) == 24e9

"""Every demo runs in a short form, on any number of ranks, and leaves what it promises."""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import pyvista
from matplotlib.image import imread
from mpi4py import MPI
from vtkmodules.vtkIOHDF import vtkHDFReader

from chemomech.cli import main
from chemomech.config import create_config, load_config
from chemomech.output.ledger import name_columns, read_ledger

COMM = MPI.COMM_WORLD
ROOT = Path(__file__).resolve().parents[2]
DEMOS = ROOT / "demos"
MICROGRAPH = ROOT.parent / "shared" / "data" / "v2o5" / "STXM.png"

#: What makes each demo short: a coarse mesh and an early end.
SHORT = {
    "bent_nanowire": ["mesh.size=10 nm", "time.end=0.2 s"],
    "outlined_particle": ["mesh.size=10 nm", "time.end=0.2 s"],
    "bent_nanowire_3d": ["mesh.size=12 nm", "time.end=0.1 s"],
}
COMMON = ["mesh.allow_coarse=true", "output.count=3"]
COLUMNS = {
    "step",
    "time_s",
    "dt_s",
    "rejected",
    "newton_iterations",
    "krylov_iterations",
    "lithium_mean",
    "lithium_balance_error",
    "energy_chemical_J",
    "energy_gradient_J",
    "energy_elastic_J",
    "energy_total_J",
    "c_min",
    "c_max",
    "von_mises_max_Pa",
    "wall_s",
}
PICTURES = {
    "composition_start.png",
    "composition.png",
    "chemical_potential.png",
    "hydrostatic.png",
    "von_mises.png",
    "stress_along.png",
    "ledger.png",
}
LAUNCHES = pytest.mark.skipif(
    COMM.size > 1 or shutil.which("mpirun") is None, reason="starts mpirun of its own"
)


def arguments(demo, output, extra=()):
    overrides = [*SHORT[demo], *COMMON, *extra]
    words = [word for override in overrides for word in ("--set", override)]
    return ["run", str(DEMOS / f"{demo}.toml"), "--output", str(output), *words]


@pytest.fixture(
    scope="module",
    params=[
        # On several ranks below.
        pytest.param("bent_nanowire", marks=pytest.mark.one_rank),
        pytest.param("bent_nanowire_3d", marks=pytest.mark.slow),
        pytest.param("outlined_particle", marks=pytest.mark.slow),
    ],
)
def results(request, run_demo):
    """Folder with the results of a demo in its short form."""
    yield run_demo(request.param, [*SHORT[request.param], *COMMON])
    COMM.barrier()


def read_columns(folder):
    """The ledger, energies named alike in two and in three dimensions."""
    columns = read_ledger(folder / "ledger.csv")
    return {name.removesuffix("_per_m"): values for name, values in columns.items()}


def assert_sound(ledger):
    """Lithium is conserved, energy never rises, and the composition keeps to its bounds."""
    assert np.abs(ledger["lithium_balance_error"]).max() < 1e-10
    parts = [ledger[f"energy_{part}_J"] for part in ("chemical", "gradient", "elastic")]
    magnitude = np.abs(parts).sum(axis=0).max()
    assert np.diff(ledger["energy_total_J"]).max() <= 1e-12 * magnitude
    np.testing.assert_allclose(sum(parts), ledger["energy_total_J"], atol=1e-14 * magnitude)
    assert ledger["c_min"].min() > 0.0
    assert ledger["c_max"].max() < 1.0


def test_only_finished_files_under_their_names(results):
    names = {path.name for path in results.iterdir()}
    assert {"config.toml", "provenance.json", "ledger.csv", "pictures", "movie.mp4"} <= names
    assert "fields.vtkhdf" in names
    assert not [path for path in results.rglob("*") if "partial" in path.name]


def test_written_configuration_is_the_one_used(results):
    config = load_config(results / "config.toml", COMM)
    assert config.output.count == 3
    assert config.mesh.allow_coarse
    assert create_config(config.model_dump(mode="json", exclude_none=True)) == config


def test_ledger_has_its_columns_and_is_sound(results):
    dimension = 3 if "3d" in results.parent.name else 2
    header = (results / "ledger.csv").read_text().splitlines()[0].split(",")
    assert tuple(header) == name_columns(dimension)
    ledger = read_columns(results)
    assert set(ledger) >= COLUMNS
    end = load_config(results / "config.toml", COMM).time.end
    assert ledger["time_s"][-1] == pytest.approx(end, rel=1e-14)
    assert_sound(ledger)


def test_pictures_show_something(results):
    assert {path.name for path in (results / "pictures").iterdir()} == PICTURES
    for path in (results / "pictures").iterdir():
        image = imread(path)
        assert min(image.shape[:2]) > 400
        assert image[..., :3].std() > 0.02


# imageio-ffmpeg leaves its pipes to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_film_plays(results):
    frames = imageio_ffmpeg.read_frames(str(results / "movie.mp4"))
    width, height = next(frames)["size"]
    images = [np.frombuffer(frame, dtype=np.uint8) for frame in frames]
    assert len(images) >= 24 * 3
    assert all(image.size == 3 * width * height for image in images)
    # The time in the corner changes even where the pattern hardly does.
    assert np.abs(images[0].astype(int) - images[-1]).max() > 50


def test_provenance_is_complete(results):
    record = json.loads((results / "provenance.json").read_text())
    text = (results / "config.toml").read_bytes()
    assert record["config_sha256"] == hashlib.sha256(text).hexdigest()
    assert record["ranks"] == COMM.size
    assert record["ended"].startswith("reached the end time")
    assert record["started"] <= record["finished"]
    for package in ("python", "petsc", "mpi", "fenics-dolfinx", "numpy"):
        assert record["versions"][package][0].isdigit() or package == "mpi"
    assert set(record) >= {"command", "hosts", "platform", "git_commit", "threads"}


def test_fields_can_be_read_without_us(results):
    if COMM.size > 1:
        pytest.skip("read serially")
    reader = vtkHDFReader()
    reader.SetFileName(str(results / "fields.vtkhdf"))
    reader.UpdateInformation()
    assert reader.GetNumberOfSteps() == 4
    reader.SetStep(3)
    reader.Update()
    fields = pyvista.wrap(reader.GetOutputDataObject(0)).point_data
    assert {"composition", "chemical_potential", "displacement", "stress"} <= set(fields)
    ledger = read_ledger(results / "ledger.csv")
    c = fields["composition"]
    assert (c.min(), c.max()) == pytest.approx(
        (ledger["c_min"][-1], ledger["c_max"][-1]), abs=1e-12
    )


@LAUNCHES
@pytest.mark.parametrize(
    "demo",
    ["bent_nanowire", *(pytest.param(d, marks=pytest.mark.slow) for d in list(SHORT)[1:])],
)
def test_two_ranks_in_a_batch_log(demo, tmp_path):
    log = tmp_path / "log.txt"
    undrawn = ["output.movie=false", "output.pictures=false"]
    words = arguments(demo, tmp_path / "two", undrawn)
    with log.open("w") as stream:
        command = ["mpirun", "-n", "2", sys.executable, "-m", "chemomech", *words]
        subprocess.run(command, stdout=stream, check=True, timeout=300)
    text = log.read_text()
    assert "\x1b" not in text
    assert text.count("reached the end time") == 1
    assert main([*arguments(demo, tmp_path / "one", undrawn), "--quiet"]) == 0
    one, two = (read_columns(tmp_path / name) for name in ("one", "two"))
    assert_sound(two)
    # The same start to round-off, the same end within the solver's tolerances.
    start, end = one["energy_total_J"][0], one["energy_total_J"][-1]
    assert two["energy_total_J"][0] == pytest.approx(start, rel=1e-10)
    assert two["energy_total_J"][-1] == pytest.approx(end, rel=1e-5)


def test_no_convergence_is_exit_code_3(share_folder, capfd):
    output = share_folder("diverges") / "results"
    extra = ["time.adaptive=false", "time.first_step=0.1 s", "solver.max_newton_iterations=1"]
    assert main(arguments("bent_nanowire", output, extra)) == 3
    COMM.barrier()
    assert ("chemomech: error: " in capfd.readouterr().err) == (COMM.rank == 0)
    assert not (output / "ledger.csv").exists()


def test_bad_input_is_exit_code_2(share_folder):
    output = share_folder("refused") / "results"
    assert main(arguments("bent_nanowire", output, ["geometry.width=-1 nm"])) == 2
    assert not output.exists()


@pytest.mark.one_rank
@pytest.mark.skipif(not MICROGRAPH.exists(), reason=f"no real micrograph: {MICROGRAPH} is missing")
def test_particle_of_the_real_micrograph(share_folder):
    output = share_folder("micrograph") / "results"
    # One sliver among many, 2 um long; a wide interface, so that a coarse mesh resolves it.
    region = "[[250, 295], [325, 295], [325, 340], [250, 340]]"
    words = [
        f'geometry={{kind="outline", file="{MICROGRAPH}", pixel_size="35 nm", region={region}}}',
        "material.gradient.interface_width=80 nm",
        "mesh.size=20 nm",
        "time.end=20 s",
        "mesh.allow_coarse=false",
        "output.movie=false",
    ]
    assert main([*arguments("outlined_particle", output, words), "--quiet"]) == 0
    COMM.barrier()
    ledger = read_columns(output)
    assert_sound(ledger)
    assert ledger["lithium_mean"][0] == pytest.approx(0.4, abs=1e-12)
    # Within the spinodal of plane stress the noise grows: theory gives e-folding in 19 s.
    assert ledger["c_max"][-1] > ledger["lithium_mean"][0]
    config = load_config(output / "config.toml", COMM)
    assert config.geometry.file == MICROGRAPH

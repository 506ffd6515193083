"""Workers, markers and fixtures of all tests: the linear solver, and figures held to theory."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import settings
from mpi4py import MPI
from xdist.scheduler import LoadScopeScheduling

from chemomech.solvers.presets import Preset

# No test depends on the clock, or on chance.
settings.register_profile("reproducible", deadline=None, derandomize=True)
settings.load_profile("reproducible")

TESTS = Path(__file__).parent

#: Set by Open MPI, by MPICH and Intel MPI, and by Slurm's srun.
LAUNCHED = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS")

#: Places whose tests touch neither DOLFINx nor PETSc.
MESHLESS = (
    "unit/imaging",
    "unit/materials/test_bent_fibre.py",
    "unit/materials/test_lattice.py",
    "unit/materials/test_stoney.py",
    "unit/drawing",
    "unit/paper/test_order_of_magnitude.py",
    "unit/paper/test_reproduction.py",
    "unit/test_overrides.py",
    "unit/test_tabulated_mobility.py",
    "unit/test_templates.py",
    "unit/test_units.py",
    "unit/geometry/test_geojson_files.py",
    "unit/geometry/test_outline_files.py",
    "unit/geometry/test_shapes.py",
    "demos/test_documentation.py",
    "verification/test_iron_stack.py",
)
#: Places whose tests do on several ranks what they do on one: laws at points, refusals, drawing.
ONE_RANK = (
    "demos/test_image_chain.py",
    "demos/test_step_by_step.py",
    "setup",
    "unit/analysis",
    "unit/materials",
    "unit/reporting",
    "unit/test_bad_images.py",
    "unit/test_bad_input.py",
    # Theory of laws, outlines and time steps, whose solvers the others hold on several ranks.
    "verification/elasticity/test_anisotropy.py",
    "verification/elasticity/test_bending.py",
    "verification/elasticity/test_grains.py",
    "verification/elasticity/test_inclusion.py",
    "verification/elasticity/test_inhomogeneity.py",
    "verification/elasticity/test_outline_disc.py",
    "verification/elasticity/test_outline_free.py",
    "verification/elasticity/test_outline_strip.py",
    "verification/elasticity/test_tilted_crystals.py",
    "verification/test_diffusion.py",
    "verification/test_gibbs_thomson.py",
    "verification/test_coherent_walls.py",
    "verification/test_growth_rates.py",
    "verification/test_interface.py",
    "verification/test_kinetic_regimes.py",
    "verification/test_manufactured.py",
    "verification/test_micrograph.py",
    "verification/test_pfhub_1b.py",
    "verification/test_spinodal.py",
    "verification/test_stressed_reactions.py",
    "verification/test_taylor.py",
)
#: Places whose tests start processes, which take both processors as it is.
LAUNCHING = ("setup", "unit/sweeps", "unit/simulation", "demos/test_pages.py")


def pytest_xdist_auto_num_workers(config):
    """One worker a processor, but none where the tests themselves are ranks of MPI."""
    launched = any(name in os.environ for name in LAUNCHED)
    return 0 if launched else len(os.sched_getaffinity(0))


class FileScheduling(LoadScopeScheduling):
    """Give a worker the tests of one file, which share fixtures, or all that start processes."""

    def _split_scope(self, nodeid):
        place = nodeid.partition("::")[0].removeprefix("tests/")
        return "processes" if place.startswith(LAUNCHING) else place


def pytest_xdist_make_scheduler(config, log):
    return FileScheduling(config, log)


def pytest_collection_modifyitems(config, items):
    """Mark what needs no mesh or no ranks; let demos and verification, the longest, begin.

    With another linear solver only those tests are left that ask for the one of the command line.
    """
    if config.getoption("--preset") != Preset.DIRECT.value:
        same = [item for item in items if "preset" not in item.fixturenames]
        config.hook.pytest_deselected(items=same)
        items[:] = [item for item in items if "preset" in item.fixturenames]
    places = {item: item.path.relative_to(TESTS).as_posix() for item in items}
    items.sort(key=lambda item: places[item].startswith("unit/"))
    for item in items:
        for marker, marked in (("meshless", MESHLESS), ("one_rank", ONE_RANK)):
            if places[item].startswith(marked):
                item.add_marker(marker)


def pytest_addoption(parser):
    parser.addoption(
        "--preset",
        choices=[preset.value for preset in Preset],
        default=Preset.DIRECT.value,
        help="linear solver of the tests that do not go through all (default: %(default)s)",
    )


@pytest.fixture
def folder(tmp_path):
    """One empty folder that all ranks see."""
    path = Path(MPI.COMM_WORLD.bcast(str(tmp_path)))
    MPI.COMM_WORLD.barrier()
    yield path
    MPI.COMM_WORLD.barrier()


@pytest.fixture
def pages(monkeypatch):
    """The figures saved in a test, by the stems of their files."""
    from matplotlib.figure import Figure

    saved, save = {}, Figure.savefig

    def keep(figure, path, **options):
        saved[Path(path).stem] = figure
        save(figure, path, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    return saved


@pytest.fixture
def preset(request):
    """The linear solver: that of the command line, where a test is not parametrized by it."""
    return Preset(request.config.getoption("--preset"))


@pytest.fixture
def verify(record_property):
    """Return a function that holds a figure to what it should be.

    Both become properties of the test in pytest's --junitxml, from which the documentation takes
    its table of verified figures: what it shows is what was asserted.
    """

    # As pytest.approx names them
    def hold(claim, found, expected, unit="", *, rel=None, abs=None, against):  # noqa: A002
        record_property(
            "verified",
            json.dumps(
                {
                    "claim": claim,
                    "found": float(found),
                    "expected": float(expected),
                    "unit": unit,
                    "tolerance": float(abs if rel is None else rel * max(expected, -expected)),
                    "against": against,
                }
            ),
        )
        assert found == pytest.approx(expected, rel=rel, abs=abs)

    return hold

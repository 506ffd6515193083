"""From TOML to typed configuration and back."""

import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from mpi4py import MPI
from pydantic import ValidationError

from chemomech.config import (
    Config,
    MechanicsConfig,
    NanowireConfig,
    NoiseConfig,
    OutputConfig,
    create_config,
    format_config,
    load_config,
    write_config,
)
from chemomech.config.templates import create_template
from chemomech.errors import InputError

COMM = MPI.COMM_WORLD
TEMPLATE = create_template("simulation")
MINIMAL: dict[str, Any] = {
    "geometry": {"kind": "box", "size": ["200 nm", "100 nm"]},
    "material": {
        "free_energy": {"kind": "regular_solution", "chi": 2.75},
        "gradient": {"interface_width": "10 nm"},
        "mobility": {"kind": "degenerate", "diffusivity": "1e-15 m^2/s"},
    },
    "initial": {"kind": "uniform", "mean": 0.5},
    "time": {"end": "10 s"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """One folder for all ranks."""
    yield COMM.bcast(tmp_path, root=0)
    COMM.Barrier()


@pytest.fixture
def template(folder: Path) -> Path:
    path = folder / "template.toml"
    if COMM.rank == 0:
        path.write_text(TEMPLATE, encoding="utf-8")
    COMM.Barrier()
    return path


def create(**changes: Any) -> Config:
    return create_config({**MINIMAL, **changes})


def test_template_is_parameter_set_a(template: Path) -> None:
    config = load_config(template, COMM)
    assert isinstance(config.geometry, NanowireConfig)
    assert config.geometry.width == 1e-7
    assert config.geometry.bend_angle == pytest.approx(math.pi / 2)
    assert config.geometry.legs == (1.5e-7, 1.5e-7)
    assert config.material.kappa == pytest.approx(5.559e-14, rel=1e-4)
    assert config.material.interface_width == 1e-8
    assert config.mesh_size == pytest.approx(2.5e-9)
    assert config.mechanics is not None
    assert config.mechanics.resolve_assumption(2) == "plane_strain"


def test_a_mesh_resolves_walls_of_all_directions(template: Path) -> None:
    """Widths go with the root of kappa."""
    override = "material.gradient.anisotropy={ values = [1, 0.25, 0.01] }"
    config = load_config(template, COMM, [override])
    # In 2-D there is none along the third.
    assert config.material.gradient.anisotropy.find_extremes(3) == (0.01, 1.0)
    assert config.material.interface_width == pytest.approx(5e-9, rel=1e-12)
    assert config.mesh_size == pytest.approx(1.25e-9, rel=1e-12)
    assert config.material.kappa == pytest.approx(5.559e-14, rel=1e-4)


def test_defaults_the_template_states_are_the_defaults(template: Path) -> None:
    """A commented key shows its default: to uncomment it where it stands changes nothing."""
    plain = load_config(template, COMM)
    shown = [
        "mesh.size=auto",
        "mesh.cells_per_interface=4",
        "mesh.cell=auto",
        "mesh.allow_coarse=false",
        "material.temperature=298.15 K",
        "material.site_concentration=18500 mol/m^3",
        "mechanics.assumption=auto",
        "mechanics.eigenstrain.reference_composition=mean",
        "initial.amplitude=0.01",
        "initial.smoothing=auto",
        "initial.seed=0",
        "time.tolerance=1e-3",
        "time.first_step=auto",
        "time.adaptive=true",
        "time.stationary_rate=auto",
        "solver.preset=auto",
        "solver.degree_composition=1",
        "solver.degree_displacement=1",
        "solver.quadrature_degree=auto",
        "solver.max_newton_iterations=10",
        "solver.newton_share=0.3",
        "solver.relative_tolerance=1e-5",
        "solver.absolute_tolerance=1e-9",
        "mechanics.stress_in_bulk=true",
        "mechanics.stress_in_reaction=true",
        "checkpoint.interval=10 min",
        "checkpoint.keep=2",
        "output.spacing=linear",
        "output.fields=true",
        "output.pictures=true",
        "output.movie=true",
    ]
    lines = TEMPLATE.splitlines()
    for override in shown:
        path, _, value = override.partition("=")
        table, _, key = path.rpartition(".")
        heading = next(i for i, line in enumerate(lines) if line.startswith(f"[{table}]"))
        end = next((i for i, line in enumerate(lines) if i > heading and line[:1] == "["), None)
        forms = (f"# {key} = {value}", f'# {key} = "{value}"')
        found = [i for i in range(heading, end or len(lines)) if lines[i].startswith(forms)]
        assert found, f"{key} does not stand under [{table}]"
        lines[found[0]] = lines[found[0]].removeprefix("# ")
    assert load_config(template, COMM, shown) == plain
    assert create_config(tomllib.loads("\n".join(lines))) == plain


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"geometry": {"kind": "nanowire", "width": "1 um", "legs": "3 um", "thickness": "0.3 um"}},
        {"geometry": {"kind": "box", "size": ["0.1 um"] * 3}, "output": {"times": ["1 s", "2 s"]}},
        {"reaction": [{"kind": "constant_flux", "group": "left", "value": "-2.6e-7 mol/m^2/s"}]},
        {
            "reaction": [{"kind": "butler_volmer", "group": "left", "rate_constant": "1e-10 m/s"}],
            "schedule": {
                "reference_voltage": "3.2 V",
                "cycles": 5,
                "step": [
                    {
                        "kind": "galvanostatic",
                        "direction": "lithiate",
                        "current": "1 nA/m",
                        "until": {"voltage": "3.1 V"},
                    },
                    {"kind": "rest", "duration": "72 h"},
                    {"kind": "potentiostatic", "mu_res": "-2 kJ/mol", "until": {"c_rate": 0.01}},
                ],
            },
        },
        {
            "material": {
                "free_energy": {
                    "kind": "polynomial",
                    "coefficients": [0, 0, 1.5],
                    "bounds": [0, 2],
                },
                "gradient": {"kappa": "1e-14 J*m^2/mol"},
                "mobility": {"kind": "constant", "diffusivity": "1e-15 m^2/s"},
            },
            "mesh": {"size": "3.3 nm", "cell": "triangle"},
        },
        {
            "mechanics": {
                "assumption": "plane_stress",
                "elasticity": {
                    "kind": "orthotropic",
                    "young_moduli": ["10 GPa", "20 GPa", "30 GPa"],
                    "poisson_ratios": [0.1, 0.2, 0.3],
                    "shear_moduli": ["4 GPa", "5 GPa", "6 GPa"],
                    "frame": "wire",
                },
                "eigenstrain": {
                    "kind": "tensor",
                    "tensor": [[-0.02, 0, 0], [0, 0.01, 0], [0, 0, 0.13]],
                    "reference_composition": 0.3,
                },
                "boundary": [
                    {"group": "left", "kind": "roller"},
                    {"group": "right", "kind": "traction", "value": ["1 MPa", "-2 MPa"]},
                    {"group": "top", "kind": "displacement", "value": ["1 nm", "-2 nm"]},
                ],
            }
        },
        {"solver": {"petsc": {"ksp_rtol": 1e-9, "snes_monitor": "", "pc_type": "lu", "n": 3}}},
        {"initial": {"kind": "formula", "formula": "0.5 + 0.1*cos(x/20)"}},
        {"time": {"end": "1 h", "adaptive": False, "first_step": "1 ms", "stationary_rate": "off"}},
    ],
)
def test_written_configuration_loads_to_an_equal_one(folder: Path, changes: dict[str, Any]) -> None:
    config = create(**changes)
    path = folder / "config.toml"
    if COMM.rank == 0:
        write_config(config, path)
    COMM.Barrier()
    loaded = load_config(path, COMM)
    assert loaded == config
    assert format_config(loaded) == format_config(config)


def test_all_ranks_hold_the_same(template: Path) -> None:
    config = load_config(template, COMM)
    assert COMM.allgather(format_config(config)) == [format_config(config)] * COMM.size


def test_overrides(template: Path) -> None:
    config = load_config(
        template,
        COMM,
        [
            "time.end=10 s",
            'geometry.width = "80 nm"',
            'geometry.legs=["150 nm", "1 um"]',
            "reaction=[{kind = 'constant_flux', group = 'end', value = '1 m/s'}]",
            "reaction.0.group=start",
            "solver.petsc.ksp_rtol=1e-9",
            "solver.petsc.pc_type=lu",
            'solver.petsc.ksp_view=""',
            "mesh.allow_coarse=true",
        ],
    )
    assert config.time.end == 10.0
    assert isinstance(config.geometry, NanowireConfig)
    assert config.geometry.width == 8e-8
    assert config.geometry.legs == (1.5e-7, 1e-6)
    assert config.reaction[0].group == "start"
    assert config.solver.petsc == {"ksp_rtol": 1e-9, "pc_type": "lu", "ksp_view": ""}
    assert config.mesh.allow_coarse is True


def test_files_count_from_the_configuration_file(folder: Path) -> None:
    if COMM.rank == 0:
        (folder / "c.csv").write_text("x_nm,y_nm,c\n0,0,0.5\n")
        config = create(initial={"kind": "uniform", "mean": 0.5})
        text = format_config(config).replace('kind = "uniform"\nmean = 0.5', 'kind = "file"')
        text = text.replace('kind = "file"', 'kind = "file"\nfile = "c.csv"')
        (folder / "input.toml").write_text(text)
    COMM.Barrier()
    config = load_config(folder / "input.toml", COMM)
    assert config.initial.kind == "file"
    assert config.initial.file == (folder / "c.csv").resolve()


def test_sections_are_immutable() -> None:
    config = create()
    with pytest.raises(ValidationError, match="frozen"):
        config.time.end = 3.0  # type: ignore[misc]


FLUX = {"kind": "constant_flux", "group": "top"}


def test_molar_flux_becomes_a_velocity() -> None:
    # 1C for a wire of 100 nm charged from both sides: 2.569e-7 mol/m^2/s is 1.389e-11 m/s.
    molar = create(reaction=[FLUX | {"value": "2.569e-7 mol/m^2/s"}]).reaction[0]
    assert molar.value.velocity(18500.0) == pytest.approx(1.389e-11, rel=1e-3)
    plain = create(reaction=[FLUX | {"value": "-1e-10 m/s"}]).reaction[0]
    assert plain.value.velocity(18500.0) == -1e-10


def test_given_kappa_and_given_width_agree() -> None:
    material = {**MINIMAL["material"], "gradient": {"kappa": "5.559035e-14 J*m^2/mol"}}
    assert create(material=material).material.interface_width == pytest.approx(1e-8, rel=1e-6)


def test_material_without_two_phases_has_no_interface() -> None:
    material = {
        **MINIMAL["material"],
        "free_energy": {"kind": "regular_solution", "chi": 0.0},
        "gradient": {"kappa": "0 J*m^2/mol"},
    }
    config = create(material=material, mesh={"size": "20 nm"})
    assert config.material.interface_width is None
    assert config.mesh_size == 2e-8
    with pytest.raises(InputError, match=r"mesh\.size: must be stated"):
        create(material=material)


def test_coarse_mesh_only_on_demand() -> None:
    with pytest.raises(InputError, match=r"at most 2\.5e-09 m, or set mesh\.allow_coarse"):
        create(mesh={"size": "4 nm"})
    assert create(mesh={"size": "4 nm", "allow_coarse": True}).mesh_size == 4e-9
    assert create(mesh={"size": "4 nm", "cells_per_interface": 2.5}).mesh_size == 4e-9


def test_the_mesh_resolves_the_feet_of_an_interface_at_great_chi() -> None:
    """At chi = 8 an interface of 10 nm ends in feet of 0.3 nm, which four cells would step over."""

    def material(chi: float) -> dict[str, Any]:
        return {**MINIMAL["material"], "free_energy": {"kind": "regular_solution", "chi": chi}}

    assert create(material=material(5.3)).mesh_size == pytest.approx(2.5e-9)
    size = create(material=material(8.0)).mesh_size
    assert size == pytest.approx(3 * 0.29785e-9, rel=1e-4)
    with pytest.raises(InputError, match=r"1e-08 m wide, which needs 11\.2 cells"):
        create(material=material(8.0), mesh={"size": "2.5 nm"})


@pytest.mark.parametrize(
    ("output", "times"),
    [
        ({"count": 4}, (2.5, 5.0, 7.5, 10.0)),
        ({"count": 1, "spacing": "log"}, (10.0,)),
        ({"count": 4, "spacing": "log"}, (0.01, 0.1, 1.0, 10.0)),
        ({"interval": "4 s"}, (4.0, 8.0, 10.0)),
        ({"interval": "2.5 s"}, (2.5, 5.0, 7.5, 10.0)),
        ({"times": ["1 s", "3 s"]}, (1.0, 3.0, 10.0)),
        ({"times": ["1 s", "10 s"]}, (1.0, 10.0)),
    ],
)
def test_snapshot_times(output: dict[str, Any], times: tuple[float, ...]) -> None:
    config = create(output=output)
    assert config.snapshot_times == pytest.approx(times)
    assert config.snapshot_times[-1] == config.time.end


def test_rounding_makes_no_double_snapshot_at_the_end() -> None:
    times = create(output={"interval": "0.1 s"}, time={"end": "0.3 s"}).snapshot_times
    assert times == pytest.approx((0.1, 0.2, 0.3))
    assert len(OutputConfig().snapshot_times(1.0)) == 100


def test_assumption_follows_the_dimension() -> None:
    table = {
        "elasticity": {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3},
        "eigenstrain": {"kind": "vegard", "partial_molar_volume": "2.415e-6 m^3/mol"},
    }
    mechanics = MechanicsConfig.model_validate(table)
    assert mechanics.resolve_assumption(2) == "plane_strain"
    assert mechanics.resolve_assumption(3) == "three_dimensional"
    stress = MechanicsConfig.model_validate({**table, "assumption": "plane_stress"})
    with pytest.raises(InputError, match="use three_dimensional"):
        stress.resolve_assumption(3)


def test_noise_defaults() -> None:
    noise = create(initial={"kind": "noise", "mean": 0.5}).initial
    assert isinstance(noise, NoiseConfig)
    assert (noise.amplitude, noise.smoothing, noise.seed) == (0.01, "auto", 0)

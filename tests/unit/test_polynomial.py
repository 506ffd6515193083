"""A polynomial needs no keys that a regular solution does not: its interface sets mesh and rate."""

import pytest
from mpi4py import MPI

from chemomech.cli import main
from chemomech.config import create_config
from chemomech.errors import InputError
from chemomech.output.ledger import read_ledger

COMM = MPI.COMM_WORLD

#: 5 (c - 0.3)^2 (0.7 - c)^2, PFHub's double well, and the line 0.4 c.
COEFFICIENTS = (0.2205, -1.7, 7.1, -10.0, 5.0)
#: (c_b - c_a)^2 rho / 8 = kappa / (RT s^2), by the barrier rho (c_b - c_a)^4 / 16.
SHARE = 0.4**2 * 5.0 / 8.0
WELLS = f"""
[geometry]
kind = "box"
size = ["20 nm", "10 nm"]

[material.free_energy]
kind = "polynomial"
coefficients = {list(COEFFICIENTS)}

[material.gradient]
interface_width = "10 nm"

[material.mobility]
kind = "constant"
diffusivity = "1e-15 m^2/s"

[initial]
kind = "noise"
mean = 0.5

[time]
end = "0.02 s"
first_step = "5 ms"

[output]
count = 1
fields = false
pictures = false
movie = false

[checkpoint]
interval = "off"
"""


@pytest.fixture
def path(tmp_path):
    path = COMM.bcast(tmp_path) / "wells.toml"
    if COMM.rank == 0:
        path.write_text(WELLS)
    COMM.Barrier()
    yield path
    COMM.Barrier()


def configure(gradient, mesh=None, **law):
    return create_config(
        {
            "geometry": {"kind": "box", "size": ["20 nm", "10 nm"]},
            "mesh": mesh or {},
            "material": {
                "free_energy": {"kind": "polynomial", "coefficients": COEFFICIENTS, **law},
                "gradient": gradient,
                "mobility": {"kind": "constant", "diffusivity": "1e-15 m^2/s"},
            },
            "initial": {"kind": "noise", "mean": 0.5},
            "time": {"end": "1 s"},
        }
    )


def test_it_validates_with_its_phases(path, capfd):
    assert main(["validate", str(path)]) == 0
    lines = [" ".join(line.split()) for line in capfd.readouterr().out.splitlines()]
    if COMM.rank > 0:
        return
    assert "binodal, stress-free c = 0.3000 and 0.7000" in lines
    # (1 +- 1 / sqrt 3) / 2 of the way between the wells.
    assert "spinodal, stress-free 0.3845 < c < 0.6155" in lines
    assert "interface width, stress-free 10 nm" in lines
    assert "plateau, stress-free mu = 0.4 RT" in lines
    assert "cells 32 (quadrilateral)" in lines


def test_it_runs(path):
    results = path.with_name("results")
    assert main(["run", str(path), "--output", str(results), "--quiet"]) == 0
    ledger = read_ledger(results / "ledger.csv")
    assert ledger["time_s"][-1] == 0.02
    assert len(ledger["step"]) > 2
    energies = next(ledger[name] for name in ledger if name.startswith("energy_total"))
    assert energies[-1] < energies[0]


def test_kappa_and_width_follow_from_one_another():
    material = configure({"interface_width": "10 nm"}).material
    kappa = material.scales.chemical_potential * SHARE * 1e-8**2
    assert material.kappa == pytest.approx(kappa, rel=1e-6)
    config = configure({"kappa": f"{kappa} J*m^2/mol"})
    assert config.material.interface_width == pytest.approx(1e-8, rel=1e-6)
    assert config.mesh_size == pytest.approx(2.5e-9, rel=1e-6)
    # Walls end in feet of 0.35 widths: none of them needs a finer mesh.
    assert config.cells_needed == 4.0


def test_a_mesh_that_does_not_resolve_its_interface_is_refused():
    with pytest.raises(InputError, match=r"mesh\.size: .* at most 2\.5e-09 m"):
        configure({"interface_width": "10 nm"}, {"size": "4 nm"})
    mesh = {"size": "4 nm", "allow_coarse": True}
    assert configure({"interface_width": "10 nm"}, mesh).mesh_size == 4e-9


def test_phases_need_a_gradient_energy():
    with pytest.raises(InputError, match=r"gradient\.kappa: must be greater than zero"):
        configure({"kappa": "0 J*m^2/mol"}, {"size": "1 nm"})


def test_a_polynomial_of_one_phase_still_asks_for_a_mesh():
    convex = (0.0, 0.0, 1.5)
    with pytest.raises(InputError, match=r"mesh\.size: must be stated"):
        configure({"kappa": "0 J*m^2/mol"}, coefficients=convex)
    with pytest.raises(InputError, match=r"interface_width: .* one phase and no interface"):
        configure({"interface_width": "10 nm"}, {"size": "1 nm"}, coefficients=convex)


def test_regions_of_the_rich_phase_are_counted(path):
    """Between wells at 0.6 and 0.9 the threshold is 0.75, not the middle of all compositions."""
    changes = [
        "material.free_energy.coefficients=[1.458, -8.1, 16.65, -15.0, 5.0]",
        'initial={kind="formula", formula="where(abs(x - 10) > 5, 0.9, 0.6)"}',
        "time.end=1 us",
        "time.first_step=1 us",
    ]
    results = path.with_name("results")
    words = [word for change in changes for word in ("--set", change)]
    assert main(["run", str(path), "--output", str(results), "--quiet", *words]) == 0
    assert read_ledger(results / "ledger.csv")["domains"][0] == 2

"""The small box that many tests simulate: 40 nm x 20 nm, walls of 10 nm, noise about c = 0.5."""

from typing import Any

BOX = {"kind": "box", "size": ["40 nm", "20 nm"]}
MATERIAL = {
    "free_energy": {"kind": "regular_solution", "chi": 2.75},
    "gradient": {"interface_width": "10 nm"},
    "mobility": {"kind": "degenerate", "diffusivity": "1e-15 m^2/s"},
}
ELASTIC = {
    "elasticity": {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3},
    "eigenstrain": {"kind": "vegard", "partial_molar_volume": "2.415e-6 m^3/mol"},
}
UNDRAWN = {"pictures": False, "movie": False}


def create_tables(**tables: Any) -> dict[str, Any]:
    """Return a configuration without mechanics; tables replaced as given, or left out for None."""
    table = {
        "geometry": BOX,
        "material": MATERIAL,
        "initial": {"kind": "noise", "mean": 0.5, "seed": 3},
        "time": {"end": "0.5 s"},
        "output": {"count": 4, **UNDRAWN},
    }
    return {key: value for key, value in (table | tables).items() if value is not None}

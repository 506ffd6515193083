"""Environments of the other codes: one each, made on first use, with pinned versions."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).parent / ".environments"

REQUIREMENTS = {
    "scikit-fem": ("scikit-fem==12.0.2", "numpy==2.3.5", "scipy==1.16.3"),
    "fipy": ("fipy==4.0.3", "numpy==2.3.5", "scipy==1.16.3"),
    "ngsolve": ("ngsolve==6.2.2608", "numpy==2.3.5"),
    "py-pde": ("py-pde==0.59.0", "numpy==2.3.5", "scipy==1.16.3"),
}


def find_python(name: str) -> str:
    """Path of the Python of an environment, which is made where it is missing or out of date.

    Args:
        name: A key of :data:`REQUIREMENTS`.

    Raises:
        CalledProcessError: It cannot be made; pip's messages are printed.
    """
    folder = HOME / name
    python, complete = folder / "bin" / "python", folder / "complete"
    wanted = "\n".join((sys.version, *REQUIREMENTS[name]))
    if complete.exists() and complete.read_text() == wanted:
        return str(python)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    words = ["install", "--quiet", "--disable-pip-version-check", *REQUIREMENTS[name]]
    subprocess.run([str(python), "-m", "pip", *words], check=True)
    complete.write_text(wanted)
    return str(python)

"""Fixtures shared by the tests of drawing."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure


@pytest.fixture
def pages(monkeypatch):
    """The figures saved in a test, by the stems of their files."""
    saved, save = {}, Figure.savefig

    def keep(figure, path, **options):
        saved[Path(path).stem] = figure
        save(figure, path, **options)

    monkeypatch.setattr(Figure, "savefig", keep)
    return saved

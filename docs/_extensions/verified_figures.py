"""Write reference/verified.md from pytest's JUnit files: what was computed, and what it was held to."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from sphinx.application import Sphinx
from sphinx.errors import ConfigError

OPENING = """# Verified figures

Each line is asserted by the test it names, and its numbers are those of the test run from which this page was built. Where a
test goes through several cases, the line shows the one that comes closest to its bound, and how many there are. A figure whose
expected value is 0 is an error.
"""
MISSING = (
    "This site was built without a test run. `.ci/docs` runs the tests first and shows the figures."
)


@dataclass(frozen=True)
class Figure:
    """A number and what it should be.

    Args:
        claim: What it is.
        found: As computed.
        expected: As it should be.
        unit: Of both; may be empty.
        tolerance: How far they may lie apart.
        against: Where the expected one comes from.
        test: Who asserts it, as file and function.
    """

    claim: str
    found: float
    expected: float
    unit: str
    tolerance: float
    against: str
    test: str

    @property
    def strain(self) -> float:
        """Distance from the expected value in units of the tolerance."""
        return abs(self.found - self.expected) / self.tolerance


def read_figures(paths: Iterable[Path]) -> list[Figure]:
    """Read what tests that passed have recorded.

    Args:
        paths: Files of pytest's ``--junitxml``.
    """
    figures = []
    for path in paths:
        for case in ElementTree.parse(path).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                continue
            place = case.get("classname", "").replace(".", "/") + ".py"
            test = f"{place}::{case.get('name', '').partition('[')[0]}"
            figures += [
                Figure(**json.loads(record.get("value", "")), test=test)
                for record in case.iter("property")
                if record.get("name") == "verified"
            ]
    return figures


def format_page(figures: Sequence[Figure]) -> str:
    """The whole page, in Markdown, a table for each file of tests."""
    if not figures:
        return f"{OPENING}\n{MISSING}\n"
    files: dict[str, dict[tuple[str, str], list[Figure]]] = defaultdict(lambda: defaultdict(list))
    for figure in figures:
        # Cases of a claim against different theories are different claims.
        files[figure.test.partition("::")[0]][figure.claim, figure.against].append(figure)
    parts = [OPENING]
    for file in sorted(files):
        parts.append(f"## `{file}`")
        rows = [
            "| what | computed | expected | within | against | test |",
            "|---|---|---|---|---|---|",
        ]
        rows += [_format_row(cases) for cases in files[file].values()]
        parts.append("\n".join(rows))
    return "\n\n".join(parts) + "\n"


def _format_row(cases: Sequence[Figure]) -> str:
    worst = max(cases, key=lambda figure: figure.strain)
    many = f" (worst of {len(cases)})" if len(cases) > 1 else ""
    name = worst.test.partition("::")[2]
    unit = f" {worst.unit}" if worst.unit else ""
    digits = 5 if worst.expected else 2
    cells = [
        worst.claim + many,
        f"{worst.found:.{digits}g}{unit}",
        f"{worst.expected:.5g}{unit}",
        f"± {worst.tolerance:.2g}",
        worst.against,
        f"`{name}`",
    ]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _write(app: Sphinx) -> None:
    paths = [Path(path) for path in app.config.verified_figures]
    figures = read_figures(paths)
    if paths and not figures:
        raise ConfigError(f"no verified figures in {', '.join(map(str, paths))}")
    path = Path(app.srcdir) / "reference" / "verified.md"
    text = format_page(figures)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Let Sphinx write the page before it looks for pages."""
    app.add_config_value("verified_figures", [], "env", list)
    app.connect("builder-inited", _write)
    return {"parallel_read_safe": True}

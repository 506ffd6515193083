"""Commands and code in README.md and docs/ are those of the program; test_pages runs them all."""

import importlib
import json
import re
import shlex
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from mpi4py import MPI

from chemomech import cli

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMANDS = [
    (page.name, re.split("[#>]", line)[0].rpartition("chemomech ")[2])
    for page in PAGES
    for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for line in block.replace("\\\n", " ").splitlines()
    if re.search(r"(with-fenicsx|-n \d|chemomech) chemomech ", line)
]


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_command_is_one(page, command):
    assert page
    cli._create_parser().parse_args(shlex.split(command))


def test_there_are_commands_on_each_page_with_any():
    assert {"README.md", "imaging.md", "tables.md"} <= {page for page, _ in COMMANDS}


@pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="one rank tries the examples")
def test_code_runs(tmp_path, monkeypatch, capfd):
    assert cli.main(["phantom", str(tmp_path / "wire")]) == 0
    monkeypatch.chdir(tmp_path / "wire")
    blocks = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "imaging.md").read_text("utf-8"), re.DOTALL
    )
    assert blocks
    for block in blocks:
        exec(compile(block, "imaging.md", "exec"), {})
    assert "[" in capfd.readouterr().out


def test_laws_of_one_s_own_work(capfd):
    text = (ROOT / "docs" / "extending.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 11
    # One after the other, as a reader would.
    exec(compile("\n".join(blocks), "extending.md", "exec"), {})
    said = capfd.readouterr().out
    assert "'chemical'" in said
    assert "unknowns" in said
    assert "(0.25, 0.75)" in said
    assert "material.gradient.kappa" in said
    assert "['c', 'mu', 'd', 'mu_d']" in said


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists()


def test_verified_figures_are_those_of_tests_that_passed(tmp_path, monkeypatch):
    pytest.importorskip("sphinx")
    claim = {"claim": "width", "expected": 10.0, "unit": "nm", "tolerance": 0.1, "against": "eqn 4"}
    cases = [("test_a[1]", 10.01, ""), ("test_a[2]", 9.92, ""), ("test_a[3]", 99.0, "<failure/>")]
    lines = [
        f'<testcase classname="tests.verification.test_wall" name="{name}"><properties><property '
        f'name="verified" value={quoteattr(json.dumps(claim | {"found": found}))}/></properties>'
        f"{outcome}</testcase>"
        for name, found, outcome in cases
    ]
    file = tmp_path / "tests.xml"
    file.write_text(f"<testsuites><testsuite>{''.join(lines)}</testsuite></testsuites>")
    monkeypatch.syspath_prepend(ROOT / "docs" / "_extensions")
    extension = importlib.import_module("verified_figures")
    page = extension.format_page(extension.read_figures([file]))
    assert "## `tests/verification/test_wall.py`" in page
    assert "| width (worst of 2) | 9.92 nm | 10 nm | ± 0.1 | eqn 4 | `test_a` |" in page
    assert "99" not in page
    assert "without a test run" in extension.format_page([])

"""Reports in a real browser: they load without a network, turn, play, and complain of nothing."""

import json
import os
import shutil
from pathlib import Path

import pytest
import tomli_w
from mpi4py import MPI
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.command import Command
from selenium.webdriver.support.ui import Select, WebDriverWait

from chemomech.cli import main
from chemomech.reporting.writing import write_report

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(MPI.COMM_WORLD.size > 1, reason="one browser looks at one page"),
]

#: Where to leave what was seen, if anywhere.
SHOTS = os.environ.get("CHEMOMECH_SCREENSHOTS")
CAMERA = "return document.getElementById('view')._fullLayout.scene._scene.getCamera()"

WIRE = {
    "geometry": {"kind": "nanowire", "width": "40 nm", "legs": "60 nm"},
    "mesh": {"size": "5 nm"},
    "material": {
        "free_energy": {"kind": "regular_solution", "chi": 2.75},
        "gradient": {"interface_width": "20 nm"},
        "mobility": {"kind": "degenerate", "diffusivity": "1e-15 m^2/s"},
    },
    "mechanics": {
        "elasticity": {"kind": "isotropic", "young_modulus": "43 GPa", "poisson_ratio": 0.3},
        "eigenstrain": {"kind": "vegard", "partial_molar_volume": "2.415e-6 m^3/mol"},
    },
    "initial": {"kind": "noise", "mean": 0.5, "seed": 3},
    "time": {"end": "5 s"},
    "output": {"count": 8},
}


@pytest.fixture(scope="module", params=["flat", "solid"])
def run(request, tmp_path_factory):
    place = tmp_path_factory.mktemp(request.param)
    table = WIRE | {"time": {"end": "5 s" if request.param == "flat" else "1 s"}}
    if request.param == "solid":
        table |= {"geometry": {**WIRE["geometry"], "thickness": "20 nm", "legs": "30 nm"}}
    (place / "wire.toml").write_text(tomli_w.dumps(table))
    words = ["run", str(place / "wire.toml"), "--output", str(place / "wire"), "--quiet"]
    assert main(words) == 0
    return write_report(place / "wire")


def read_log(browser, kind):
    """Take what has been logged since the last call."""
    return browser.execute(Command.GET_LOG, {"type": kind})["value"]


def open_page(browser, page):
    """Open a page from its file and wait until its view, if it has one, is drawn."""
    read_log(browser, "browser")
    read_log(browser, "performance")
    browser.get(page.absolute().as_uri())
    if browser.find_elements(By.ID, "view"):
        wait_for_field(browser, "0")


def wait_for_field(browser, number):
    view = browser.find_element(By.ID, "view")
    WebDriverWait(browser, 60).until(lambda _: view.get_attribute("data-shown") == number)


def find_requests(browser):
    """Addresses asked for since the page was opened, but for those inside it and its own."""
    messages = [json.loads(line["message"])["message"] for line in read_log(browser, "performance")]
    asked = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    return [url for url in asked if not url.startswith(("data:", "blob:", "file:"))]


def find_complaints(browser):
    return [
        line["message"]
        for line in read_log(browser, "browser")
        if line["level"] == "SEVERE" or "Error" in line["message"]
    ]


def keep(browser, name):
    if SHOTS:
        browser.save_screenshot(str(Path(SHOTS) / f"{name}.png"))


def test_page_turns_and_plays(browser, run):
    name = run.parent.parent.name
    open_page(browser, run)
    keep(browser, f"{name}-top")
    view = browser.find_element(By.ID, "view")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", view)
    before = browser.execute_script(CAMERA)
    drag = ActionChains(browser, duration=300).move_to_element(view).click_and_hold()
    drag.move_by_offset(120, 60).release().perform()
    WebDriverWait(browser, 20).until(
        lambda _: distance(browser.execute_script(CAMERA)["eye"], before["eye"]) > 0.1
    )
    keep(browser, f"{name}-turned")
    film = browser.find_element(By.ID, "film")
    browser.execute_script("arguments[0].play()", film)
    WebDriverWait(browser, 20).until(lambda _: film.get_property("currentTime") > 0.2)
    assert film.get_property("videoWidth") > 100
    assert find_requests(browser) == []
    assert find_complaints(browser) == []


def test_fields_are_chosen(browser, run):
    open_page(browser, run)
    select = Select(browser.find_element(By.ID, "field"))
    names = [option.text for option in select.options]
    assert names[0].startswith("Li composition")
    assert any(name.startswith("von Mises stress (") for name in names)
    shown = "return Array.from(document.getElementById('view').data[0].intensity)"
    first = browser.execute_script(shown)
    assert 0.0 < min(first) < max(first) < 1.0
    select.select_by_index(1)
    wait_for_field(browser, "1")
    assert browser.execute_script(shown) != first
    title = "return document.getElementById('view').data[0].colorbar.title.text"
    assert browser.execute_script(title) == names[1]
    keep(browser, f"{run.parent.parent.name}-field")
    assert find_complaints(browser) == []


def test_curves_are_drawn_and_pictures_shown(browser, run):
    open_page(browser, run)
    lines = browser.find_elements(By.CSS_SELECTOR, "#curves0 .scatterlayer .js-line")
    assert len(lines) >= 9
    sizes = browser.execute_script(
        "return Array.from(document.images).map((image) => image.naturalWidth)"
    )
    assert len(sizes) >= 4
    assert min(sizes) > 100
    browser.execute_script("arguments[0].scrollIntoView()", browser.find_element(By.ID, "curves0"))
    keep(browser, f"{run.parent.parent.name}-curves")


@pytest.fixture
def sweep(run, tmp_path):
    """A folder like a sweep's of two finished cases and a failed one."""
    for name in "ab":
        shutil.copytree(run.parent, tmp_path / "sweep" / name / "results")
    (tmp_path / "sweep" / "sweep.toml").write_text("# as the user wrote it\n")
    (tmp_path / "sweep" / "cases.csv").write_text(
        "case,seed,status\na,2,done\nb,10,done\nc,1,failed\n"
    )
    return tmp_path / "sweep"


def test_cases_of_a_sweep_are_chosen(browser, sweep):
    open_page(browser, write_report(sweep))
    cases = Select(browser.find_element(By.ID, "case"))
    assert [option.text for option in cases.options] == ["a", "b"]
    Select(browser.find_element(By.ID, "field")).select_by_index(1)
    wait_for_field(browser, "1")
    shown = "return Array.from(document.getElementById('view').data[0].intensity)"
    stress = browser.execute_script(shown)
    cases.select_by_index(1)
    view = browser.find_element(By.ID, "view")
    WebDriverWait(browser, 60).until(lambda _: view.get_attribute("data-case") == "1")
    # The field stays chosen; the cases are the same run.
    assert view.get_attribute("data-shown") == "1"
    assert browser.execute_script(shown) == stress
    keep(browser, f"{sweep.parent.name}-case")
    assert find_requests(browser) == []
    assert find_complaints(browser) == []


def test_tables_are_sorted(browser, sweep):
    open_page(browser, write_report(sweep))
    head = browser.find_elements(By.CSS_SELECTOR, "th")[1]
    cells = (
        "return Array.from(document.querySelectorAll('td:nth-child(2)')).map((c) => c.textContent)"
    )
    for expected in (["1", "2", "10"], ["10", "2", "1"]):
        head.click()
        assert browser.execute_script(cells) == expected
    assert find_complaints(browser) == []


def test_network_would_be_noticed(browser, tmp_path):
    """The watch sees what a page asks of the network, and the browser does not get it."""
    (tmp_path / "page.html").write_text('<img src="http://example.invalid/a.png">')
    open_page(browser, tmp_path / "page.html")
    assert find_requests(browser) == ["http://example.invalid/a.png"]
    assert find_complaints(browser) != []


def distance(one, two):
    return sum((one[axis] - two[axis]) ** 2 for axis in "xyz") ** 0.5

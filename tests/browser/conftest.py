"""A browser that reaches no network, driven through its WebDriver: see .ci/browser."""

import os

import pytest
from selenium import webdriver

#: Address of a chromedriver.
DRIVER = os.environ.get("CHEMOMECH_BROWSER")

ARGUMENTS = (
    *("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1200,1000"),
    # WebGL without a graphics card.
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    # Whatever asks for a host finds none.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--autoplay-policy=no-user-gesture-required",
)


@pytest.fixture(scope="session")
def browser():
    if not DRIVER:
        pytest.skip("NOT TESTED in a browser: CHEMOMECH_BROWSER names no chromedriver")
    options = webdriver.ChromeOptions()
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Remote(command_executor=DRIVER, options=options)
    yield driver
    driver.quit()

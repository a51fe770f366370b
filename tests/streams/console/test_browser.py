"""Pages in a real browser: the way to a leak, accessibility, colours, width, and the form."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait
from selenium_axe_python.axe import Axe

from tests.streams.console.browser import PHONE, WIDE, browser
from tests.streams.console.showing import PAGES, TOKEN

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser")]
LOOKS = {
    "light": (False, WIDE),
    "dark": (True, WIDE),
    "phone": (False, PHONE),
    "dark phone": (True, PHONE),
}


@pytest.fixture(scope="module")
def driver() -> Iterator[webdriver.Chrome]:
    with browser() as driver:
        yield driver


def seen(driver: webdriver.Chrome, selector: str, text: str = "") -> WebElement:
    """The first thing on the screen that looks so and says so, once it is there."""

    def found(driver: webdriver.Chrome) -> WebElement | None:
        every = driver.find_elements(By.CSS_SELECTOR, selector)
        return next((each for each in every if each.is_displayed() and text in each.text), None)

    # A page that is left goes away in the middle of the search.
    patient = WebDriverWait(driver, 20, 0.1, (StaleElementReferenceException,))
    element = patient.until(found)
    assert element is not None
    return element


def test_a_leaked_inmail_is_four_clicks_from_the_overview_at_most(
    driver: webdriver.Chrome, url: str
) -> None:
    driver.get(url)
    clicks = (
        ("main a", "confidential-inmail-to-third-party"),
        ("main td a[href^='/message/']", ""),
    )
    assert len(clicks) <= 4
    for selector, text in clicks:
        seen(driver, selector, text).click()
    seen(driver, "h1", "m1")
    seen(driver, "main", "reached partner, which belongs to a third party, Acme")
    stops = driver.find_elements(By.CSS_SELECTOR, "svg circle.breach title")
    assert any("partner" in str(each.get_attribute("textContent")) for each in stops)


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_accessible(url: str, look: str) -> None:
    dark, size = LOOKS[look]
    with browser(dark, size) as driver:
        for path in PAGES:
            driver.get(url + path)
            axe = Axe(driver)
            axe.inject()  # type: ignore[no-untyped-call] # it ships no hints
            found = axe.run()
            said = [
                (each["id"], [node["html"][:120] for node in each["nodes"]][:2])
                for each in found["violations"]
            ]
            assert (path, said) == (path, [])
            width = driver.execute_script("return document.documentElement.scrollWidth")
            assert width <= size[0], f"{path} is wider than the screen"
            # The policy forbids whatever is inline or from elsewhere, and a browser says so.
            log = driver.get_log("browser")  # type: ignore[no-untyped-call] # as above
            severe = [each for each in log if each["level"] == "SEVERE"]
            assert severe == []


def test_the_keyboard_reaches_the_content_first(driver: webdriver.Chrome, url: str) -> None:
    driver.get(url)
    driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    first = driver.switch_to.active_element
    assert first.text == "to the content"
    first.send_keys(Keys.ENTER)
    assert driver.switch_to.active_element.get_attribute("id") == "main"


def test_a_click_copies_a_whole_id(driver: webdriver.Chrome, url: str) -> None:
    driver.get(f"{url}/message/m1")
    grant = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"], "origin": url}
    driver.execute_cdp_cmd("Browser.grantPermissions", grant)
    seen(driver, "h1 button.copy").click()
    seen(driver, "h1 button.copy", "copied")
    said = "const done = arguments[0]; navigator.clipboard.readText().then(done, done)"
    assert driver.execute_async_script(said) == "m1"


def test_somebody_with_the_token_signs_in(driver: webdriver.Chrome, with_token: str) -> None:
    driver.get(f"{with_token}/message/m1")
    driver.find_element(By.ID, "token").send_keys(TOKEN + Keys.ENTER)
    seen(driver, "h1", "m1")
    seen(driver, "nav a", "Flags").click()
    seen(driver, "main", "confidential-inmail")
    assert driver.execute_script("return document.cookie") == ""


def test_a_parameter_of_a_question_is_a_field(driver: webdriver.Chrome, url: str) -> None:
    driver.get(f"{url}/questions")
    driver.find_element(By.ID, "sql").send_keys("SELECT rule FROM flag WHERE dataset = $where")
    seen(driver, "main form button", "Ask").click()
    seen(driver, "[id='p.where']").send_keys("partner" + Keys.ENTER)
    seen(driver, "table", "confidential-inmail-to-third-party")

"""A signed-in page in the system's Chromium. A console error, or a refusal of the page's policy, fails the test."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from regie.people.models import Member

expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
PHONE = {"width": 375, "height": 780}
DESK = {"width": 1360, "height": 900}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser a module: while it is open its event loop runs in this thread, where others could not run theirs."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs in this thread; the ORM is ours alone
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_page(
    chromium: Browser, live_server: Any, alice: Member, signed_in: Callable[[Member], Any]
) -> Iterator[Callable[..., Page]]:
    """Opens a page: ``open_page(bob, phone=True, dark=True, language="fr")``. Its errors are told at the end."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and "status of 422" not in message.text and "status of 409" not in message.text:
            errors.append(message.text)

    def make(member: Member = alice, *, phone: bool = False, dark: bool = False, language: str = "en") -> Page:
        type(member.user).objects.filter(pk=member.user_id).update(language=language)  # it goes before the browser's
        context = chromium.new_context(
            viewport=PHONE if phone else DESK,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light",
            locale=language,
            base_url=f"{live_server.url}/w/{member.workspace.slug}/",
        )
        cookie = signed_in(member).cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: errors.append(str(error)))
        contexts.append(context)
        return page

    yield make
    for context in contexts:
        for page in context.pages:
            page.goto("about:blank")  # nothing more is asked
            page.wait_for_timeout(700)  # and what was asked has its answer, before the tests' data go
        context.close()
    assert errors == []


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """Alice's, on a desk."""
    return open_page()


@pytest.fixture
def assert_accessible() -> Callable[[Page], None]:
    """Fails with axe's words for everything it finds against WCAG 2.2 A and AA."""

    def check(page: Page) -> None:
        found = Axe().run(page, options=RULES).response["violations"]
        said = [f"{one['id']}: {one['help']}: {node['html'][:160]}" for one in found for node in one["nodes"][:3]]
        assert said == []

    return check


@pytest.fixture
def screenshot(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Keeps a picture under the folder ``TEST_SCREENSHOTS``, when that is set."""
    folder = os.environ.get("TEST_SCREENSHOTS", "")

    def keep(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)

    return keep

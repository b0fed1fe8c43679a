"""A signed-in page in the system's Chromium. A console error, or a refusal of the page's policy, fails the test.

Two groups, so that two workers share them: ``screens`` (the composer, the calendar, how pages look) and ``browser``
(walks through networks, files, notices).
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.cache import cache
from django.db import connections
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect, sync_playwright

from regie.accounts.models import Account
from regie.media import making
from regie.media.models import Rendition
from regie.people.models import Member
from regie.publishing.models import Delivery

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

    from tests.conftest import Sandbox

expect.set_options(timeout=15_000)  # a busy machine is slow, not wrong
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],  # what is well need not be told in full
}
PHONE = {"width": 375, "height": 780}
DESK = {"width": 1360, "height": 900}


class Chromium:
    """One browser for the tests that follow each other. While it is open its event loop runs in this thread, where
    others could not run theirs; so it is closed before another test comes."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._browser: Browser | None = None

    def browser(self) -> Browser:
        if self._browser is None:
            path = shutil.which("chromium") or shutil.which("chromium-browser")
            playwright = self._open.enter_context(sync_playwright())
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # the loop runs in this thread; the ORM is ours alone
            self._open.callback(os.environ.pop, "DJANGO_ALLOW_ASYNC_UNSAFE", None)
            self._browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            self._open.callback(self._browser.close)
        return self._browser

    def close(self) -> None:
        self._browser = None
        self._open.close()


CHROMIUM = Chromium()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Iterator[None]:
    yield
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        CHROMIUM.close()


@pytest.fixture
def chromium() -> Browser:
    return CHROMIUM.browser()


@pytest.fixture
def open_page(
    chromium: Browser,
    live_server: LiveServer,
    alice: Member,
    signed_in: Callable[[Member], Any],
    until_all_is_answered: Callable[[LiveServer], None],
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
        context.set_default_navigation_timeout(90_000)  # the first page of a server that has just started
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        page = context.new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: errors.append(str(error)))
        contexts.append(context)
        return page

    yield make
    for context in contexts:
        context.close()
    until_all_is_answered(live_server)
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


@dataclass
class Walk:
    """Alice, who runs the installation, from a network's keys to a published post. After each step it waits for what
    she sees, so that nobody looks into the database before the server has answered her."""

    page: Page
    settings: Any
    publish_due: Callable[[], None]

    def on(self, vendor: Sandbox) -> None:
        """From now on the product asks this sandbox for what it would ask the network."""
        self.settings.NETWORKS = {**self.settings.NETWORKS, vendor.network.slug: vendor.base}

    def keys_of(self, network: str) -> Locator:
        """The network's part of the page with the keys."""
        self.page.goto("accounts/")
        self.page.get_by_role("link", name="What each network asks for").click()
        part = self.page.locator(f"section[aria-labelledby='network-{network}']")
        expect(part).to_be_visible()
        return part

    def keeps_keys(
        self, network: str, app: Mapping[str, str], *, login: int = 0, **more: str | re.Pattern[str]
    ) -> None:
        """Enters an app's keys in the form of its nth login; ``more``: the field's label by the key of the app."""
        entry = self.keys_of(network).locator("details:has(form[action$='/keys/'])").nth(login)
        entry.locator("summary").click()
        form = entry.locator("form")
        form.get_by_label("App ID").fill(app["client_id"])
        form.get_by_label("App secret").fill(app["client_secret"])
        for name, label in more.items():
            form.get_by_label(label).fill(app[name])
        form.get_by_role("button", name="Keep the keys").click()
        registered = self.page.locator(f"section[aria-labelledby='network-{network}'] .client-id")
        expect(registered.get_by_text(app["client_id"][:40])).to_be_visible()

    def begins_to_connect(self, network: str) -> None:
        """Accounts, "Connect an account", and the network: up to its form."""
        self.page.goto("accounts/")
        self.page.get_by_role("link", name="Connect an account").first.click()
        self.page.get_by_role("main").locator(f"a[href$='/accounts/connect/{network}/']").click()
        expect(self.page.get_by_role("heading", name="How it goes")).to_be_visible()

    def is_connected(self, name: str = "regie") -> Account:
        """The account whose page it came to. The message above it leaves after a while, so it is not waited for."""
        expect(self.page.get_by_role("heading", level=1, name=name)).to_be_visible()
        expect(self.page.locator("main .state", has_text="Connected").first).to_be_visible()
        return Account.objects.get()

    def publishes(self) -> Delivery:
        """Presses what publishes now, and waits on the post's page until it says "Published". Ends on the receipt."""
        self.page.get_by_role("button", name="Publish now").click()
        self.page.get_by_role("dialog").get_by_role("button", name="Publish now").click()
        expect(self.page.get_by_role("heading", name="Deliveries")).to_be_visible()
        state = self.page.locator(".delivery-state")
        expect(state).to_have_count(1)
        with ThreadPoolExecutor(1) as elsewhere:  # the browser's event loop runs in this thread
            elsewhere.submit(self._until_out).result()
        expect(state).to_have_text("Published")
        self.page.locator(".delivery-name").click()
        expect(self.page.get_by_role("heading", name="What was sent")).to_be_visible()
        delivery = Delivery.objects.get()
        assert delivery.state == "published"
        return delivery

    def _until_out(self) -> None:
        """The worker's part and the engine's: made to fit, uploaded, asked about while the network works on it."""
        try:
            for _ in range(10):
                for rendition in Rendition.objects.exclude(state=Rendition.State.READY):
                    asyncio.run(making.make(rendition.pk))
                self.publish_due()
                if Delivery.objects.get().state == "published":
                    break
                Delivery.objects.update(next_at=Delivery.objects.get().due_at)  # nobody waits in a test
        finally:
            connections.close_all()


@pytest.fixture
def walk(page: Page, alice: Member, settings: Any, live_server: Any, publish_due: Callable[[], None]) -> Walk:
    """``walk.on(x)``, ``walk.keeps_keys("x", ready)``, ``walk.begins_to_connect("x")``, ``walk.publishes()``."""
    cache.clear()  # what an earlier sandbox said
    settings.PUBLIC_URL = live_server.url
    settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "127.0.0.1"]  # where vendors send people back to on one machine
    page.context.add_cookies([{**one, "domain": "127.0.0.1"} for one in page.context.cookies()])  # type: ignore[typeddict-item]
    alice.user.is_operator = True
    alice.user.save()
    return Walk(page, settings, publish_due)

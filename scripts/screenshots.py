"""The documentation's pictures, from a running demo: ``make demo`` first, then ``python scripts/screenshots.py``.

``REGIE_PORT`` says where the demo is. The demo's person looks at it, in the light theme and in both languages, and
publishes one post in each, so that there is a receipt to show. Few colours (quantised) keep the files small.
"""

from __future__ import annotations

import importlib.util
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
BASE = f"http://localhost:{os.environ.get('REGIE_PORT', '8000')}"
EMAIL, PASSWORD = "demo@example.org", "demo"
SHOP = "/w/atelier-lumen"
WIDTH, HEIGHT = 1280, 860
COLOURS = 96
LANGUAGES = {"en": "", "fr": ".fr"}  # language > what stands before .png

COMPOSED = {
    "en": "Saturday, the linen comes out of the workshop. Come and touch it: 10 to 6, rue des Tisserands.",
    "fr": "Samedi, le lin sort de l’atelier. Venez le toucher : de 10 h à 18 h, rue des Tisserands.",
}


def today(page: Page, language: str) -> None:
    page.goto(f"{BASE}/w/all/")


def calendar(page: Page, language: str) -> None:
    page.goto(f"{BASE}{SHOP}/calendar/")


def written(page: Page, language: str, *, accounts: int) -> None:
    """A post on the desk, on so many accounts, looked at by every check."""
    page.goto(f"{BASE}{SHOP}/posts/new/")
    for box in page.locator("input[name=account]").all()[:accounts]:
        box.check()
    page.locator("textarea.part-text").first.fill(COMPOSED[language])
    page.locator("#side .preview").wait_for(timeout=30_000)
    page.wait_for_timeout(1_500)


def composer(page: Page, language: str) -> None:
    page.set_viewport_size({"width": WIDTH, "height": 1300})
    written(page, language, accounts=3)


def inbox(page: Page, language: str) -> None:
    page.goto(f"{BASE}{SHOP}/inbox/")
    page.locator(".inbox-row a").nth(1).click()
    page.locator("#reply").wait_for(timeout=15_000)


def receipt(page: Page, language: str) -> None:
    """Of a post that goes out now: what the demo played earlier took no time, by its own clock."""
    written(page, language, accounts=1)
    page.locator("[data-dialog=publish-now]").click()
    page.locator("#publish-now .btn-primary").click()
    page.locator("a.delivery-name").first.click()
    page.wait_for_function("() => document.querySelectorAll('.moments time').length > 4")


def numbers(page: Page, language: str) -> None:
    page.goto(f"{BASE}{SHOP}/numbers/")
    page.locator(".chart svg, .chart canvas, [data-chart] canvas").first.wait_for(timeout=15_000)


SCENES: dict[str, Callable[[Page, str], None]] = {
    scene.__name__: scene for scene in (today, calendar, composer, inbox, receipt, numbers)
}


@contextmanager
def signed_in(browser: Browser, language: str) -> Iterator[Page]:
    """A fresh window of the demo's person. The language is put back afterwards, as it is kept with the person."""
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    page.set_default_timeout(90_000)
    page.goto(f"{BASE}/account/login/")
    page.fill("[name=login]", EMAIL)
    page.fill("[name=password]", PASSWORD)
    page.locator("main form .btn-primary, form .btn-primary").first.click()
    page.wait_for_url(lambda url: "/account/login" not in url)
    speak(page, language)
    yield page
    speak(page, "en")
    context.close()


def speak(page: Page, language: str) -> None:
    page.goto(f"{BASE}/w/all/me/")
    form = page.locator("form", has=page.locator("select[name=language]"))
    form.locator("select[name=language]").select_option(language)
    form.locator(".btn-primary").click()
    page.wait_for_load_state()


def keep(page: Page, path: Path) -> int:
    """Writes what the page shows. Returns the file's size in bytes."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(path, optimize=True)
    return path.stat().st_size


def chromium() -> str:
    """Where Chromium is: what ``scripts/browser.py`` finds."""
    spec = importlib.util.spec_from_file_location("browser", ROOT / "scripts" / "browser.py")
    assert spec is not None
    assert spec.loader is not None
    found: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return str(found.find())


def main(wanted: list[str]) -> int:
    IMAGES.mkdir(exist_ok=True)
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        for language, ending in LANGUAGES.items():
            with signed_in(browser, language) as page:
                for name in wanted or SCENES:
                    page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
                    SCENES[name](page, language)
                    page.wait_for_timeout(500)
                    path = IMAGES / f"{name}{ending}.png"
                    print(f"{path.relative_to(ROOT)}: {keep(page, path):,} bytes")
        browser.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

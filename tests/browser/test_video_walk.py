"""A video from the disk to a story, in a real browser: a bad line, the player, the format, the telephone."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from regie.accounts.models import Account
from regie.media import services
from regie.media.models import File
from regie.people.models import Member
from regie.studio.models import Post

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]

Film = Callable[..., BytesIO]


LOSES_THE_SECOND_PIECE = """
const asked = [], real = window.fetch;
window.fetch = (address, how) => {
  if (how && how.method === "PUT") {
    asked.push(address.split("?")[1]);
    sessionStorage.setItem("asked", JSON.stringify(asked));
    if (asked.length === 2) return Promise.reject(new TypeError("The line is down."));
  }
  return real(address, how);
};
"""

PLAYED_A_LITTLE = """(film) => new Promise((done) => {
  const look = () => (film.currentTime > 0.3 ? done() : setTimeout(look, 50));
  look();
})"""


def padded(video: BytesIO, size: int) -> bytes:
    """The same video in a larger file: MP4 allows free space."""
    whole = video.getvalue()
    left = size - len(whole)
    return whole + left.to_bytes(4, "big") + b"free" + bytes(left - 8)


def test_a_large_video_survives_a_bad_line_and_plays(
    page: Page, tmp_path: Path, video: Film, assert_accessible: Callable[[Page], None]
) -> None:
    whole = padded(video(seconds=4), 11 * 1024 * 1024)
    (tmp_path / "wave.mp4").write_bytes(whole)
    page.add_init_script(LOSES_THE_SECOND_PIECE)
    page.goto("media/")
    page.locator("#library-file").set_input_files(tmp_path / "wave.mp4")
    page.get_by_role("link", name="wave.mp4").click()
    asked = page.evaluate("JSON.parse(sessionStorage.getItem('asked'))")
    assert asked == ["at=0", "at=4194304", "at=4194304", "at=8388608"]
    assert File.objects.get().size == len(whole)

    expect(page.get_by_text("0:04")).to_be_visible()
    film = page.locator("video")
    film.evaluate("async (film) => { film.muted = true; await film.play(); }")
    film.evaluate(PLAYED_A_LITTLE)
    film.evaluate("(film) => film.pause()")
    page.get_by_role("button", name="Use the picture shown as cover").click()
    assert 0.2 < float(page.get_by_label("Cover, seconds").input_value()) < 4
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert_accessible(page)


@pytest.mark.parametrize("clothes", [{}, {"phone": True, "dark": True, "language": "fr"}], ids=["desk", "phone"])
def test_a_video_becomes_a_story_with_the_keyboard(
    open_page: Callable[..., Page],
    alice: Member,
    make_account: Callable[..., Account],
    video: Film,
    assert_accessible: Callable[[Page], None],
    screenshot: Callable[[Page, str], None],
    clothes: dict[str, Any],
) -> None:
    file = services.upload(workspace=alice.workspace, name="wave.mp4", source=video(seconds=4), by=alice)
    account = make_account("instagram", "Atelier")
    post = Post.objects.create(
        workspace=alice.workspace,
        content={"parts": [{"text": "", "media": [{"file": file.pk, "alt": "A wave"}]}]},
        author=alice.user,
    )
    page = open_page(alice, **clothes)
    page.goto(f"posts/{post.pk}/edit/")
    post_word, story = ("Publication", "Story") if clothes else ("Post", "Story")
    expect(page.get_by_role("radiogroup")).to_have_count(0)
    page.locator(f"input[name=account][value='{account.pk}']").check()  # only now there is a choice
    page.get_by_role("radio", name=post_word).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name=story)).to_be_checked()
    for _ in range(100):
        post.refresh_from_db()
        if post.content.get("format") == "story":
            break
        page.wait_for_timeout(100)
    assert post.content["format"] == "story"
    expect(page.locator(".look-play")).to_be_visible()
    cut = page.locator(f"input[name='s-0-cut-{file.pk}']")
    cut.check()
    expect(cut).to_be_checked()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    screenshot(page, f"composer-video-{'phone' if clothes else 'desk'}")
    page.goto(f"media/{file.pk}/")
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
    screenshot(page, f"file-video-{'phone' if clothes else 'desk'}")
    page.goto("media/")
    assert_accessible(page)
    screenshot(page, f"library-video-{'phone' if clothes else 'desk'}")

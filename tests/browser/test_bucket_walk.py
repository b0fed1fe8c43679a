"""Media in a bucket, in a real browser: the strict page shows the picture and plays the video, through us."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from regie.core.bucket import Bucket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("browser")]

SEEN = "(picture) => picture.decode().then(() => picture.naturalWidth)"  # fails when it cannot be shown
PLAYED_A_LITTLE = """(film) => new Promise((done) => {
  const look = () => (film.currentTime > 2 ? done() : setTimeout(look, 50));
  look();
})"""


def test_a_picture_is_shown_and_a_video_is_played_from_the_bucket(
    bucket: Bucket, page: Page, tmp_path: Path, picture: Callable[..., BytesIO], video: Callable[..., BytesIO]
) -> None:
    (tmp_path / "coat.jpg").write_bytes(picture().getvalue())
    (tmp_path / "wave.mp4").write_bytes(video(seconds=4).getvalue())
    page.goto("media/")
    for name in ("coat.jpg", "wave.mp4"):
        page.locator("#library-file").set_input_files(tmp_path / name)
        expect(page.get_by_role("link", name=name)).to_be_visible()
    shutil.rmtree(bucket.copies.folder)  # another machine did all that
    page.reload()
    expect(page.get_by_role("link", name="coat.jpg")).to_be_visible()
    for shown in page.get_by_role("main").locator("img").all():
        assert shown.evaluate(SEEN) > 0
    page.get_by_role("link", name="wave.mp4").click()
    expect(page.get_by_text("0:04")).to_be_visible()
    film = page.locator("video")
    film.evaluate("async (film) => { film.muted = true; film.currentTime = 1.5; await film.play(); }")
    film.evaluate(PLAYED_A_LITTLE)
    assert not list(bucket.copies.folder.rglob("*.mp4")), "passed on from the bucket, and not copied"

"""Documents, sounds, covers and subtitles in a real browser: the library, their pages, the composer and its dialog."""

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

Make = Callable[..., BytesIO]
CLOTHES = [{}, {"phone": True, "dark": True}]
SRT = b"1\n00:00:01,000 --> 00:00:02,500\nBonjour\n"


@pytest.fixture
def keep(alice: Member) -> Callable[..., File]:
    def keep(source: BytesIO, name: str) -> File:
        return services.upload(workspace=alice.workspace, name=name, source=source, by=alice)

    return keep


def not_wider(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0


def saved(post: Post, page: Page, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The first use of the post's files, once the page has kept it."""
    for _ in range(100):
        post.refresh_from_db()
        use: dict[str, Any] = post.content["parts"][0]["media"][0]
        if wanted(use):
            return use
        page.wait_for_timeout(100)
    raise AssertionError(use)


@pytest.mark.parametrize("clothes", CLOTHES, ids=["desk", "phone"])
def test_the_library_and_the_pages_of_every_kind(
    open_page: Callable[..., Page],
    alice: Member,
    keep: Callable[..., File],
    paper: Make,
    sound: Make,
    tmp_path: Path,
    assert_accessible: Callable[[Page], None],
    screenshot: Callable[[Page, str], None],
    clothes: dict[str, Any],
) -> None:
    files = [keep(sound(seconds=3), "episode.mp3"), keep(BytesIO(SRT), "wave.fr.srt")]
    (tmp_path / "Notre année.pdf").write_bytes(paper(pages=4).getvalue())
    page = open_page(alice, **clothes)
    page.goto("media/")
    page.locator("#library-file").set_input_files(tmp_path / "Notre année.pdf")
    expect(page.get_by_text("4 pages")).to_be_visible()
    assert_accessible(page)
    not_wider(page)
    screenshot(page, f"files-library-{len(clothes)}")
    for file in [*files, File.objects.get(kind="document")]:
        page.goto(f"media/{file.pk}/")
        assert_accessible(page)
        not_wider(page)
        screenshot(page, f"files-{file.kind}-{len(clothes)}")
    page.get_by_label("Title").fill("Our year")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    assert File.objects.get(kind="document").title == "Our year"


@pytest.mark.parametrize("clothes", CLOTHES, ids=["desk", "phone"])
def test_an_episode_gets_a_cover_and_becomes_a_video(
    open_page: Callable[..., Page],
    alice: Member,
    make_account: Callable[..., Account],
    keep: Callable[..., File],
    sound: Make,
    picture: Make,
    assert_accessible: Callable[[Page], None],
    screenshot: Callable[[Page, str], None],
    clothes: dict[str, Any],
) -> None:
    episode, cover = keep(sound(seconds=3, title="Episode 1"), "episode.mp3"), keep(picture(), "cover.jpg")
    keep(sound(seconds=2), "another.mp3")
    account = make_account("bluesky", "Atelier")
    content = {"parts": [{"text": "Listen", "media": [{"file": episode.pk}]}]}
    post = Post.objects.create(workspace=alice.workspace, content=content, author=alice.user)
    page = open_page(alice, **clothes)
    page.goto(f"posts/{post.pk}/edit/")
    page.locator(f"input[name=account][value='{account.pk}']").check()
    expect(page.get_by_text("choose a cover for “episode.mp3”")).to_be_visible()
    page.get_by_label("A video of its cover and its sound").check()
    page.get_by_role("button", name="Choose a cover").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("radio")).to_have_count(1)
    assert_accessible(page)
    dialog.get_by_role("radio").check()
    dialog.get_by_role("button", name="Use as cover").click()
    expect(page.get_by_role("button", name="Take the cover out")).to_be_visible()
    expect(page.get_by_text("as a video of its cover and its sound")).to_be_visible()
    expect(page.locator(".look-play")).to_contain_text("0:03")
    use = saved(post, page, lambda one: one.get("cover") == cover.pk)
    assert use["as_video"] is True
    assert_accessible(page)
    not_wider(page)
    screenshot(page, f"files-episode-{len(clothes)}")
    page.get_by_role("button", name="Take the cover out").click()
    expect(page.get_by_role("button", name="Choose a cover")).to_be_visible()


@pytest.mark.parametrize("clothes", CLOTHES, ids=["desk", "phone"])
def test_a_video_gets_its_subtitles_and_a_document_is_shown_as_its_readers_see_it(
    open_page: Callable[..., Page],
    alice: Member,
    make_account: Callable[..., Account],
    keep: Callable[..., File],
    video: Make,
    paper: Make,
    assert_accessible: Callable[[Page], None],
    screenshot: Callable[[Page, str], None],
    clothes: dict[str, Any],
) -> None:
    wave, words = keep(video(seconds=2), "wave.mp4"), keep(BytesIO(SRT), "wave.srt")
    account = make_account("bluesky", "Atelier")
    content = {"parts": [{"text": "Waves", "media": [{"file": wave.pk, "alt": "A wave"}]}]}
    post = Post.objects.create(workspace=alice.workspace, content=content, author=alice.user)
    page = open_page(alice, **clothes)
    page.goto(f"posts/{post.pk}/edit/")
    page.locator(f"input[name=account][value='{account.pk}']").check()
    page.get_by_role("button", name="Add subtitles").click()
    page.get_by_role("dialog").get_by_role("radio").check()
    page.get_by_role("button", name="Use these subtitles").click()
    expect(page.get_by_text("Say in which language the subtitles “wave.srt” are.")).to_be_visible()
    page.get_by_label("Language of the subtitles").fill("fr")
    expect(page.get_by_text("Say in which language")).to_have_count(0)
    use = saved(post, page, lambda one: one.get("language") == "fr")
    assert use["captions"] == words.pk
    screenshot(page, f"files-subtitles-{len(clothes)}")
    assert_accessible(page)
    not_wider(page)

    report = keep(paper(pages=4, title="Our year"), "v3.pdf")
    channel = make_account("telegram", "Chaîne")
    paper_post = Post.objects.create(
        workspace=alice.workspace,
        content={"parts": [{"text": "Read it", "media": [{"file": report.pk}]}]},
        author=alice.user,
    )
    page.goto(f"posts/{paper_post.pk}/edit/")
    page.locator(f"input[name=account][value='{channel.pk}']").check()
    expect(page.locator(".look-file")).to_contain_text("Our year")
    expect(page.locator(".look-file")).to_contain_text("4 pages")
    assert_accessible(page)
    not_wider(page)
    screenshot(page, f"files-paper-{len(clothes)}")

"""Videos in the browser: sent in pieces over a bad line, played, described, followed while they are made to fit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.test import Client

from regie.media import arriving, making, services
from regie.media.models import File, Rendition, Upload
from regie.networks.capabilities import VideoLimit
from regie.people.models import Member

Film = Callable[..., BytesIO]
SignIn = Callable[[Member], Client]


@pytest.fixture
def wave(alice: Member, video: Film) -> File:
    return services.upload(workspace=alice.workspace, name="wave.mov", source=video(kind="mov"), by=alice)


@pytest.fixture
def browser(alice: Member, signed_in: SignIn) -> Client:
    return signed_in(alice)


def begin(browser: Client, size: int, **more: str) -> dict[str, Any]:
    answer = browser.post(
        "/w/atelier-nord/media/upload/begin/", {"name": "wave.mp4", "size": size, "mark": "wave:1", **more}
    )
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def put(browser: Client, going: dict[str, Any], at: int, piece: bytes) -> Any:
    return browser.put(f"{going['piece']}?at={at}", piece, content_type="application/octet-stream")


def test_a_large_video_comes_in_pieces(browser: Client, video: Film) -> None:
    whole = video(noise=True).getvalue()
    going = begin(browser, len(whole))
    at = going["received"]
    while at < len(whole):
        at = put(browser, going, at, whole[at : at + 20_000]).json()["received"]
    place = arriving._place(Upload.objects.get())
    assert place.stat().st_size == len(whole)
    answer = browser.post(f"{going['piece']}finish/", headers={"HX-Request": "true"})
    assert "wave.mp4" in answer.content.decode()
    file = File.objects.get()
    assert (file.kind, file.size) == ("video", len(whole))
    with file.file.open("rb") as stored:
        assert stored.read() == whole
    assert not Upload.objects.exists()
    assert not place.exists()


def test_after_a_broken_line_it_goes_on_from_what_is_here(browser: Client, video: Film) -> None:
    whole = video(noise=True).getvalue()
    first = begin(browser, len(whole))
    put(browser, first, 0, whole[:5000])
    again = begin(browser, len(whole))
    assert (again["piece"], again["received"]) == (first["piece"], 5000)
    assert put(browser, again, 0, whole[:5000]).json() == {"received": 5000}
    assert put(browser, again, 5000, whole[5000:]).json() == {"received": len(whole)}
    assert browser.post(f"{again['piece']}finish/", headers={"HX-Request": "true"}).status_code == 200
    assert File.objects.get().size == len(whole)


def test_a_gap_and_an_end_before_the_end_are_said(browser: Client) -> None:
    going = begin(browser, 100)
    answer = browser.put(f"{going['piece']}?at=50", b"x", headers={"HX-Request": "true"})
    assert (answer.status_code, "missing" in answer.content.decode()) == (422, True)
    answer = browser.post(f"{going['piece']}finish/", headers={"HX-Request": "true"})
    assert (answer.status_code, "not here whole" in answer.content.decode()) == (422, True)


def test_more_than_was_announced_is_not_written(browser: Client) -> None:
    going = begin(browser, 10)
    assert put(browser, going, 0, b"x" * 500).json() == {"received": 10}
    upload = Upload.objects.get()
    assert arriving._place(upload).stat().st_size == 10


def test_pieces_of_something_else_are_refused_in_words_and_cleared_away(browser: Client) -> None:
    going = begin(browser, 500)
    put(browser, going, 0, b"x" * 500)
    answer = browser.post(f"{going['piece']}finish/", headers={"HX-Request": "true"})
    assert (answer.status_code, "not a picture" in answer.content.decode()) == (422, True)
    assert not Upload.objects.exists()


@pytest.mark.parametrize("size", ["0", "-5", "x", str(5 * 1024**4)])
def test_a_size_that_we_do_not_take_is_refused_before_a_byte_is_sent(browser: Client, size: str) -> None:
    answer = browser.post(
        "/w/atelier-nord/media/upload/begin/",
        {"name": "x", "size": size, "mark": "m"},
        headers={"HX-Request": "true"},
    )
    assert answer.status_code == 422


def test_what_stood_still_for_days_is_cleared_away(browser: Client, clock: Any) -> None:
    going = begin(browser, 100)
    put(browser, going, 0, b"x" * 50)
    place = arriving._place(Upload.objects.get())
    clock.advance(days=3)
    arriving.forget_the_abandoned()
    assert not Upload.objects.exists()
    assert not place.exists()


def test_nobody_adds_to_the_upload_of_another(browser: Client, bob: Member, charlie: Member, signed_in: SignIn) -> None:
    going = begin(browser, 100)
    for other in (bob, charlie):
        client = signed_in(other)
        path = going["piece"].replace("/w/atelier-nord", "")
        assert client.put(f"{path}?at=0", b"x").status_code == 404
        assert client.post(f"{path}finish/").status_code == 404


def test_the_file_page_plays_the_video_in_pieces(browser: Client, wave: File) -> None:
    page = browser.get(f"/w/atelier-nord/media/{wave.pk}/").content.decode()
    address = f"/w/atelier-nord/media/{wave.pk}/{wave.sha256}/played/"
    assert address in page
    answer = browser.get(address, headers={"Range": "bytes=0-99"})
    assert (answer.status_code, answer["Content-Type"], len(answer.getvalue())) == (206, "video/mp4", 100)


def test_a_stranger_finds_neither_the_video_nor_what_is_made_of_it(
    wave: File, charlie: Member, signed_in: SignIn
) -> None:
    client = signed_in(charlie)
    for path in ("", "renditions/", f"{wave.sha256}/played/", f"{wave.sha256}/thumbnail/", f"{wave.sha256}/original/"):
        assert client.get(f"/media/{wave.pk}/{path}").status_code == 404


def test_the_page_follows_a_rendition_until_it_is_there(browser: Client, wave: File, transactional_db: None) -> None:
    rendition = making.ask_for(wave, VideoLimit(largest_bytes=10**8, longest=timedelta(minutes=1)))
    Rendition.objects.filter(pk=rendition.pk).update(state="making", percent=42)
    piece = browser.get(f"/w/atelier-nord/media/{wave.pk}/renditions/").content.decode()
    assert "Being made" in piece
    assert 'value="42"' in piece
    assert "hx-get" in piece
    Rendition.objects.filter(pk=rendition.pk).update(state="waiting")
    asyncio.run(making.make(rendition.pk))
    piece = browser.get(f"/w/atelier-nord/media/{wave.pk}/renditions/").content.decode()
    assert "Ready" in piece
    assert "hx-get" not in piece


def test_what_failed_can_be_tried_again_from_the_page(browser: Client, wave: File) -> None:
    rendition = making.ask_for(wave, VideoLimit(largest_bytes=10**8, longest=timedelta(minutes=1)))
    Rendition.objects.filter(pk=rendition.pk).update(state="failed", problem=making.NO_ROOM)
    page = browser.get(f"/w/atelier-nord/media/{wave.pk}/").content.decode()
    assert "There is no room left" in page
    browser.post(f"/w/atelier-nord/media/{wave.pk}/renditions/{rendition.pk}/again/")
    rendition.refresh_from_db()
    assert rendition.state == "waiting"


def test_the_library_shows_how_long_a_video_lasts_and_can_show_videos_only(
    browser: Client, wave: File, picture: Callable[..., BytesIO], alice: Member
) -> None:
    services.upload(workspace=alice.workspace, name="coat.jpg", source=picture(), by=alice)
    everything = browser.get("/w/atelier-nord/media/").content.decode()
    assert "coat.jpg" in everything
    assert "0:02" in everything
    videos_only = browser.get("/w/atelier-nord/media/?kind=video").content.decode()
    assert "wave.mov" in videos_only
    assert "coat.jpg" not in videos_only


def test_the_cover_is_chosen_on_the_page(browser: Client, wave: File) -> None:
    given = {"alt": "A wave", "name": "wave.mov", "focus_x": "0", "focus_y": "0", "cover_at": "1.5"}
    assert browser.post(f"/w/atelier-nord/media/{wave.pk}/", given).status_code == 302
    wave.refresh_from_db()
    assert (wave.cover_at, wave.alt) == (1.5, "A wave")

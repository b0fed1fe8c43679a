"""The addresses under which a network fetches a file of ours for a while."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.test import Client

from regie.media import links, services
from regie.media.models import File
from regie.networks.capabilities import ImageLimit
from regie.people.models import Member

Picture = Callable[..., BytesIO]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True, params=["folder", pytest.param("bucket", marks=pytest.mark.xdist_group("bucket"))])
def store(request: pytest.FixtureRequest) -> None:
    """The same from a folder of ours and from a bucket."""
    if request.param == "bucket":
        request.getfixturevalue("bucket")


@pytest.fixture
def coat(alice: Member, picture: Picture, clock: Any) -> File:
    return services.upload(workspace=alice.workspace, name="coat.png", source=picture(kind="PNG", noise=True), by=alice)


def path_of(address: str) -> str:
    assert address.startswith("http://testserver/")
    return address.removeprefix("http://testserver")


def test_a_network_that_never_signed_in_gets_the_file_until_the_hour_is_over(coat: File, clock: Any) -> None:
    address = path_of(links.public_url(coat, lasts=HOUR))
    answer = Client().get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert len(answer.getvalue()) == coat.size
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    clock.advance(hours=1)
    assert Client().get(address).status_code == 404


def test_a_rendition_is_fetched_as_what_it_is(coat: File) -> None:
    limits = ImageLimit(most=1, largest_bytes=100_000, types=("image/jpeg",), longest_side=100)
    made = services.rendition_for(coat, limits)
    answer = Client().get(path_of(links.public_url(made, lasts=HOUR)))
    assert (answer.status_code, answer["Content-Type"], len(answer.getvalue())) == (200, "image/jpeg", made.size)


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.replace("for-networks/f", "for-networks/r"),
        lambda path: path.replace(".png~", ".mp4~"),
        lambda path: path.replace("media.png", "media.mp4"),
        lambda path: path[:-12] + "x" + path[-11:],
        lambda path: path.replace("~", "-"),
        lambda _path: "/media/for-networks/x/media.png",
        lambda _path: "/media/for-networks/",
    ],
)
def test_whoever_changes_an_address_finds_nothing(coat: File, change: Callable[[str], str]) -> None:
    changed = change(path_of(links.public_url(coat, lasts=HOUR)))
    assert Client().get(changed).status_code == 404


def test_a_later_hour_cannot_be_written_into_an_address(coat: File, clock: Any) -> None:
    path = path_of(links.public_url(coat, lasts=HOUR))
    until = int((clock.moment + HOUR).timestamp())
    assert str(until) in path
    assert Client().get(path.replace(str(until), str(until + 9999))).status_code == 404


@pytest.mark.parametrize(
    ("asked", "first", "last"), [("bytes=0-9", 0, 9), ("bytes=100-", 100, None), ("bytes=-5", -5, None)]
)
def test_a_piece_is_given_to_whoever_asks_for_a_piece(coat: File, asked: str, first: int, last: int | None) -> None:
    answer = Client().get(path_of(links.public_url(coat, lasts=HOUR)), headers={"Range": asked})
    with coat.file.open("rb") as stored:
        whole = stored.read()
    meant = whole[first:] if last is None else whole[first : last + 1]
    assert answer.status_code == 206
    assert answer.getvalue() == meant
    begin = first if first >= 0 else len(whole) + first
    assert answer["Content-Range"] == f"bytes {begin}-{begin + len(meant) - 1}/{len(whole)}"
    assert answer["Content-Length"] == str(len(meant))


def test_a_piece_beyond_the_end_is_not_satisfiable(coat: File) -> None:
    answer = Client().get(path_of(links.public_url(coat, lasts=HOUR)), headers={"Range": f"bytes={coat.size}-"})
    assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{coat.size}")


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=0-9", "bytes=-", "bytes=a-b", "bytes=" + "9" * 40 + "-"])
def test_what_is_no_single_range_is_answered_with_the_whole(coat: File, asked: str) -> None:
    answer = Client().get(path_of(links.public_url(coat, lasts=HOUR)), headers={"Range": asked})
    assert (answer.status_code, len(answer.getvalue())) == (200, coat.size)


def test_a_link_only_reads(coat: File) -> None:
    path = path_of(links.public_url(coat, lasts=HOUR))
    assert Client().post(path).status_code == 405
    head = Client().head(path)
    assert (head.status_code, head["Accept-Ranges"]) == (200, "bytes")
    head.close()

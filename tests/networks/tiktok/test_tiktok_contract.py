"""The contract itself: written by hand, so it is held against the pages it was written from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from regie_sandbox.tiktok.app import TikTok

from .contract import DEEDS, EXTRACT, Deed

needs_the_pages = pytest.mark.skipif(not EXTRACT.exists(), reason=f"TikTok's pages are not there ({EXTRACT}).")


@cache
def words_of(page: str) -> frozenset[str]:
    """Every cell of a page's tables, and every quoted word of its examples."""
    return frozenset(_words(json.loads(EXTRACT.read_bytes())["pages"][page]))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _words(one)
    elif isinstance(value, list):
        for one in value:
            yield from _words(one)
    elif isinstance(value, str):
        yield value
        yield from value.split('"')


@needs_the_pages
@pytest.mark.parametrize(("where", "deed"), DEEDS.items(), ids=lambda value: value[1] if type(value) is tuple else "")
def test_every_name_of_the_contract_stands_on_its_page(where: tuple[str, str], deed: Deed) -> None:
    known = frozenset().union(*(words_of(page) for page in deed.pages))
    assert any(where[1] in one for one in known)
    assert {*deed.sent.names(), *deed.told.names(), *deed.chooses} <= known


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("video/init/", {"post_info": {"privacy_level": "PUBLIC_TO_EVERYONE"}}),
        ("video/init/", {"post_info": {}, "source_info": {"source": "FILE_UPLOAD"}}),
        ("content/init/", {"media_type": "PHOTO"}),
        ("content/init/", {"media_type": "PHOTO", "post_mode": "DIRECT_POST", "post_info": {}, "source_info": {}}),
        ("status/fetch/", {"publish_id": "v_pub_file~v2-1.1"}),
    ],
)
async def test_the_sandbox_takes_nothing_incomplete(
    http: aiohttp.ClientSession, plain: TikTok, path: str, body: dict[str, Any]
) -> None:
    token = plain.ready_account()["credentials"]["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    async with http.post(f"{plain.base}/v2/post/publish/{path}", json=body, headers=headers) as answer:
        assert answer.status in (400, 403)
        assert (await answer.json())["error"]["code"] != "ok"
    assert plain.world.ledger.entries == []


SOURCE = {"source": "FILE_UPLOAD", "video_size": 20_000_000, "chunk_size": 10_000_000, "total_chunk_count": 2}


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({}, True),
        ({"total_chunk_count": 3}, False),  # rounded down, not up
        ({"chunk_size": 4_000_000, "total_chunk_count": 5}, False),
        ({"chunk_size": 65_000_000, "total_chunk_count": 0}, False),
        ({"video_size": 70_000_000, "chunk_size": 70_000_000, "total_chunk_count": 1}, False),
        ({"video_size": 4_000_000, "chunk_size": 4_000_000, "total_chunk_count": 1}, True),
        ({"video_size": 4_000_000, "chunk_size": 2_000_000, "total_chunk_count": 2}, False),
        ({"video_size": 5_000_000_000, "total_chunk_count": 500}, False),
    ],
)
async def test_parts_must_be_as_the_transfer_guide_says(
    http: aiohttp.ClientSession, plain: TikTok, change: dict[str, int], taken: bool
) -> None:
    token = plain.ready_account()["credentials"]["access_token"]
    body = {"post_info": {"privacy_level": "SELF_ONLY"}, "source_info": {**SOURCE, **change}}
    headers = {"Authorization": f"Bearer {token}"}
    async with http.post(f"{plain.base}/v2/post/publish/video/init/", json=body, headers=headers) as answer:
        assert (answer.status == 200) is taken


async def test_parts_out_of_order_or_of_another_length_are_not_taken(
    http: aiohttp.ClientSession, plain: TikTok
) -> None:
    token = plain.ready_account()["credentials"]["access_token"]
    body = {"post_info": {"privacy_level": "SELF_ONLY"}, "source_info": SOURCE}
    headers = {"Authorization": f"Bearer {token}"}
    async with http.post(f"{plain.base}/v2/post/publish/video/init/", json=body, headers=headers) as answer:
        address = (await answer.json())["data"]["upload_url"]
    for said, content, status in (
        ("bytes 10000000-19999999/20000000", 10_000_000, 416),
        ("bytes 0-9999998/20000000", 9_999_999, 416),
        ("bytes 0-9999999/20000000", 10, 400),
        ("bytes 0-9999999/20000001", 10_000_000, 400),
        ("whole", 10_000_000, 400),
    ):
        parts = {"Content-Range": said, "Content-Type": "video/mp4"}
        async with http.put(address, data=BytesIO(bytes(content)), headers=parts) as answer:
            assert answer.status == status, said
    async with http.put(address.replace("upload_token=", "upload_token=x"), data=b"") as answer:
        assert answer.status == 404

"""A client library that somebody else wrote for VK works against the sandbox: a second witness beside our connector."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from regie.networks.data import Picture
from regie_sandbox.vk.app import Vk

MOVIE = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(range(256)) * 40


@pytest.fixture
async def clients(vk: Vk) -> AsyncIterator[Callable[[str], Any]]:
    """One for each key: ``community_key`` or ``admin_key``."""
    from vkbottle import API

    made: list[Any] = []

    def client(key: str) -> Any:
        api = API(token=vk.ready_account()["credentials"][key])
        api.API_URL = f"{vk.base}/method/"
        made.append(api)
        return api

    yield client
    for api in made:
        await api.http_client.close()


@pytest.fixture
def owner(vk: Vk) -> int:
    return -int(vk.ready_account()["remote_id"])


async def test_a_post_is_made_read_commented_on_measured_and_deleted(
    vk: Vk, clients: Callable[[str], Any], owner: int
) -> None:
    api = clients("admin_key")
    post = (await api.wall.post(owner_id=owner, from_group=True, message="Good morning", guid="g1")).post_id
    assert (await api.wall.post(owner_id=owner, from_group=True, message="Good morning", guid="g1")).post_id == post
    assert vk.texts() == ["Good morning"]
    (read,) = (await api.wall.get_by_id(posts=[f"{owner}_{post}"])).items
    assert (read.text, read.from_id) == ("Good morning", owner)

    comment = (
        await api.wall.create_comment(owner_id=owner, post_id=post, message="First", from_group=-owner)
    ).comment_id
    vk.say(by="Ana Belle", text="Thanks", to=f"{owner}_{post}_{comment}")
    listed = await api.wall.get_comments(owner_id=owner, post_id=post, extended=True, thread_items_count=10)
    assert [(one.id, [below.text for below in one.thread.items]) for one in listed.items] == [(comment, ["Thanks"])]
    assert [person.first_name for person in listed.profiles] == ["Ana"]

    vk.like(by="ana", post_id=f"{owner}_{post}")
    (reach,) = await api.stats.get_post_reach(owner_id=owner, post_ids=[post])
    assert reach.reach_total == 6
    await api.wall.edit(owner_id=owner, post_id=post, message="Until seven")
    assert vk.texts() == ["Until seven"]
    await api.wall.delete(owner_id=owner, post_id=post)
    assert vk.texts() == []


async def test_its_uploaders_bring_pictures_documents_and_videos(
    vk: Vk, clients: Callable[[str], Any], owner: int, picture: Callable[..., Picture], tmp_path: Path
) -> None:
    from vkbottle import DocWallUploader, PhotoWallUploader, VideoUploader

    api, film, menu = clients("admin_key"), tmp_path / "walk.mp4", tmp_path / "menu.pdf"
    film.write_bytes(MOVIE)
    menu.write_bytes(b"%PDF-1.7\n")
    attached = [
        await PhotoWallUploader(api).upload(str(picture().path), group_id=-owner),
        await VideoUploader(api).upload(file_source=str(film), group_id=-owner, name="A walk"),
        await DocWallUploader(api).upload(title="menu.pdf", file_source=str(menu), group_id=-owner),
    ]
    post = (await api.wall.post(owner_id=owner, message="Look", attachments=attached)).post_id
    kinds = [one.split("-")[0] for one in vk.state.posts[f"{owner}_{post}"].attachments]
    assert kinds == ["photo", "video", "doc"]


async def test_messages_are_the_communitys_and_the_wall_is_not_listed_for_it(
    vk: Vk, clients: Callable[[str], Any], owner: int
) -> None:
    from vkbottle import VKAPIError

    api = clients("community_key")
    vk.say(by="Ana Belle", text="Do you deliver?", kind="direct", to="regie")
    (one,) = (await api.messages.get_conversations(extended=True)).items
    assert one.last_message.text == "Do you deliver?"
    assert await api.messages.send(peer_id=one.conversation.peer.id, message="We do", random_id=7)
    (group,) = (await api.groups.get_by_id()).groups
    assert group.id == -owner
    with pytest.raises(VKAPIError[27]):
        await api.wall.get(owner_id=owner)

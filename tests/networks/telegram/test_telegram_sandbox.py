"""What the sandbox itself promises: it remembers, keeps the vendor's order, and tells bots only what they may see."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from regie.networks.capabilities import MessageKind
from regie.networks.data import Login, Poll
from regie.networks.telegram.connector import Telegram as Connector
from regie_sandbox.frame import World
from regie_sandbox.telegram.app import Telegram


async def _call(http: aiohttp.ClientSession, telegram: Telegram, method: str, **fields: Any) -> dict[str, Any]:
    token = telegram.ready_account()["credentials"]["token"]
    async with http.post(f"{telegram.base}/bot{token}/{method}", json=fields) as reply:
        body: dict[str, Any] = await reply.json()
        assert body["ok"] is (reply.status == 200)
        return body


async def test_everything_is_still_there_after_a_restart(
    tmp_path: Path, channel: Connector, telegram: Telegram, post: Any
) -> None:
    published = await channel.commit(post("Bonjour"), {})
    await channel.commit(post("Which?", poll=Poll(options=("a", "b"))), {})
    telegram.say(by="Bob", text="Bravo", to=published.remote_id)
    telegram.like(by="Bob", post_id=published.remote_id)

    again = Telegram(World(seed=7))
    again.load(telegram.dump())
    assert again.texts() == ["Bonjour", "Which?"]
    assert again.ready_account()["credentials"] == telegram.ready_account()["credentials"]
    assert again.state == telegram.state


async def test_a_bot_outside_privacy_mode_only_hears_what_concerns_it(
    group: Connector, telegram: Telegram, http: aiohttp.ClientSession
) -> None:
    telegram.say(by="Bob", text="just chatting", to=group.chat_id)
    telegram.say(by="Bob", text="@regie_bot hello", to=group.chat_id)
    updates = (await _call(http, telegram, "getUpdates"))["result"]
    assert [update["message"]["text"] for update in updates] == ["@regie_bot hello"]


async def test_method_names_are_read_without_looking_at_case(http: aiohttp.ClientSession, telegram: Telegram) -> None:
    assert (await _call(http, telegram, "GETME"))["result"]["username"] == "regie_bot"
    assert (await _call(http, telegram, "noSuchMethod"))["description"] == "Not Found"


async def test_a_negative_offset_keeps_only_the_newest(
    channel: Connector, telegram: Telegram, http: aiohttp.ClientSession, post: Any
) -> None:
    published = await channel.commit(post("Bonjour"), {})
    for text in ("one", "two", "three"):
        telegram.say(by="Bob", text=text, to=published.remote_id)
    updates = (await _call(http, telegram, "getUpdates", offset=-1))["result"]
    assert [update["message"]["text"] for update in updates] == ["three"]
    assert len((await _call(http, telegram, "getUpdates"))["result"]) == 1


async def test_kinds_of_news_that_must_be_asked_for_do_not_come_by_themselves(
    channel: Connector, telegram: Telegram, http: aiohttp.ClientSession, post: Any
) -> None:
    published = await channel.commit(post("Bonjour"), {})
    telegram.like(by="Bob", post_id=published.remote_id)
    updates = (await _call(http, telegram, "getUpdates"))["result"]
    assert not [update for update in updates if "message_reaction_count" in update]


async def test_people_can_write_to_the_bot_in_private(
    channel: Connector, telegram: Telegram, http: aiohttp.ClientSession
) -> None:
    telegram.say_to_bot(by="Bob", text="psst")
    (update,) = (await _call(http, telegram, "getUpdates"))["result"]
    assert update["message"]["chat"]["type"] == "private"
    assert (await channel.messages(cursor="")).messages == ()  # it belongs to no channel


@pytest.mark.parametrize("kind", ["mention"])
async def test_a_mention_is_heard_without_what_the_sign_in_told_us(
    telegram: Telegram, http: aiohttp.ClientSession, kind: str
) -> None:
    ready = telegram.ready_account()
    login = Login(server=ready["server"], remote_id=ready["remote_id"], credentials=ready["credentials"])
    said = telegram.say(by="Bob", text="hello", to=ready["remote_id"], kind=kind)
    (mention,) = (await Connector(http, login).messages(cursor="")).messages
    assert (mention.remote_id, mention.kind, mention.text) == (said, MessageKind.MENTION, "@regie_bot hello")

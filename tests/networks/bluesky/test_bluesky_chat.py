"""Direct messages on Bluesky: read once each, answered once, and out of reach without harm to the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import aiohttp
import pytest

from regie.networks.bluesky.chat import NO_MESSAGES
from regie.networks.bluesky.connector import Bluesky as Connector
from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Login, Outgoing, Pending, Picture, Progress, Ready, Ref
from regie.networks.errors import Refused, TokenExpired, TryLater, Unclear
from regie_sandbox.bluesky.app import Bluesky

Makes = Callable[..., Outgoing]


def answer_to(message: Incoming) -> Ref:
    return Ref(remote_id=message.remote_id, root_id=message.conversation_id, extra=message.extra)


def write(bluesky: Bluesky, text: str, by: str = "Léa Petit") -> str:
    return bluesky.say(by=by, text=text, to="regie", kind="direct")


def said(bluesky: Bluesky) -> list[str]:
    return [message.text for convo in bluesky.state.convos.values() for message in convo.messages]


async def ready(connector: Connector, what: Outgoing) -> Progress:
    """As the caller does it: what was achieved is saved, then handed back."""
    waiting = await connector.prepare(what, {})
    assert isinstance(waiting, Pending)
    done = await connector.prepare(what, waiting.progress)
    assert isinstance(done, Ready)
    return done.progress


async def texts(connector: Connector, cursor: str = "") -> tuple[list[str], str]:
    page = await connector.messages(cursor=cursor)
    return [one.text for one in page.messages], page.cursor


async def test_direct_messages_arrive_once_each_among_the_others(connector: Connector, bluesky: Bluesky) -> None:
    write(bluesky, "Vous êtes ouverts ?")
    bluesky.world.clock.advance(timedelta(seconds=1))
    bluesky.say(by="Bob", text="@regie.test bonjour", to="regie", kind="mention")
    direct, mention = (await connector.messages(cursor="")).messages
    assert (direct.kind, direct.text, direct.by.name, direct.by.handle) == (
        MessageKind.DIRECT,
        "Vous êtes ouverts ?",
        "Léa Petit",
        "lea-petit.test",
    )
    assert mention.kind is MessageKind.MENTION
    assert (direct.post_id, direct.url, direct.conversation_id) == ("", "", f"direct:{direct.extra['convo']}")

    _, cursor = await texts(connector)
    assert await texts(connector, cursor) == ([], cursor)
    write(bluesky, "Et demain ?")
    write(bluesky, "Coucou", by="Bob")
    fresh, last = await texts(connector, cursor)
    assert fresh == ["Et demain ?", "Coucou"]
    assert await texts(connector, cursor) == (fresh, last)
    assert await texts(connector, last) == ([], last)


async def test_before_anybody_mentioned_us_reading_goes_on_just_as_well(connector: Connector, bluesky: Bluesky) -> None:
    assert await texts(connector) == ([], "")
    write(bluesky, "Un")
    first, cursor = await texts(connector)
    write(bluesky, "Deux")
    fresh, cursor = await texts(connector, cursor)
    bluesky.say(by="Bob", text="@regie.test trois", to="regie", kind="mention")
    assert (first, fresh, (await texts(connector, cursor))[0]) == (["Un"], ["Deux"], ["@regie.test trois"])


async def test_more_than_a_page_of_messages_and_of_conversations_is_read(
    connector: Connector, bluesky: Bluesky
) -> None:
    write(bluesky, "0")
    _, cursor = await texts(connector)
    for number in range(1, 121):
        write(bluesky, str(number))
    for number in range(60):
        write(bluesky, f"from {number}", by=f"person {number}")
    fresh, last = await texts(connector, cursor)
    assert fresh == [*(str(number) for number in range(1, 121)), *(f"from {number}" for number in range(60))]
    assert await texts(connector, last) == ([], last)


async def test_a_direct_message_is_answered_in_its_conversation_with_text_only(
    connector: Connector, bluesky: Bluesky, outgoing: Makes, picture: Picture
) -> None:
    write(bluesky, "Vous êtes ouverts ?")
    (message,) = (await connector.messages(cursor="")).messages
    what = outgoing("Oui : https://example.org/été", reply_to=answer_to(message))
    sent = await connector.commit(what, await ready(connector, what))
    assert said(bluesky) == ["Vous êtes ouverts ?", "Oui : https://example.org/été"]
    assert (sent.url, sent.extra) == ("", message.extra)
    assert bluesky.texts() == []
    assert (await connector.messages(cursor="")).messages == (message,)  # our own words are not told to us
    with pytest.raises(Refused, match="text only"):
        await connector.prepare(replace(what, pictures=(picture,)), {})
    with pytest.raises(Refused):
        await connector.delete(Ref(remote_id=sent.remote_id, extra=sent.extra))


@pytest.mark.parametrize("taken", [True, False])
async def test_an_answer_that_was_lost_is_there_once_in_the_end(
    connector: Connector, bluesky: Bluesky, outgoing: Makes, taken: bool
) -> None:
    write(bluesky, "Vous êtes ouverts ?")
    (message,) = (await connector.messages(cursor="")).messages
    what = outgoing("Oui", reply_to=answer_to(message))
    progress, faults = await ready(connector, what), bluesky.faults
    faults.will_lose_answer(path="sendMessage") if taken else faults.will_drop(path="sendMessage")
    with pytest.raises(TryLater):
        await connector.commit(what, progress)
    again = await connector.commit(what, progress)
    assert said(bluesky) == ["Vous êtes ouverts ?", "Oui"]
    assert again.remote_id == next(iter(bluesky.state.convos.values())).messages[-1].id
    faults.will_lose_answer(path="sendMessage")
    with pytest.raises(Unclear):
        await connector.commit(replace(what, text="Et demain", repeat_until=None), progress)


async def test_the_same_words_a_moment_later_are_another_answer(
    connector: Connector, bluesky: Bluesky, outgoing: Makes
) -> None:
    write(bluesky, "Ouvert ?")
    (message,) = (await connector.messages(cursor="")).messages
    for key in ("one", "two"):
        what = outgoing("Oui", key=key, reply_to=answer_to(message))
        await connector.commit(what, await ready(connector, what))
    assert said(bluesky) == ["Ouvert ?", "Oui", "Oui"]


async def test_a_direct_message_has_no_likes_and_is_not_hidden(connector: Connector, bluesky: Bluesky) -> None:
    write(bluesky, "Ouvert ?")
    (message,) = (await connector.messages(cursor="")).messages
    with pytest.raises(Refused, match="no likes"):
        await connector.like(answer_to(message))
    with pytest.raises(Refused):
        await connector.hide(answer_to(message))


async def test_without_access_the_mentions_go_on_and_we_say_what_is_missing(
    connector: Connector, bluesky: Bluesky, http: aiohttp.ClientSession, login: Login
) -> None:
    write(bluesky, "Vous êtes ouverts ?")
    bluesky.say(by="Bob", text="@regie.test bonjour", to="regie", kind="mention")
    bluesky.person("regie").password_reads_chat = False
    assert (await texts(connector))[0] == ["@regie.test bonjour"]

    profile = await connector.whoami()
    assert profile.limits == {"chat": False, "missing": [NO_MESSAGES]}
    assert MessageKind.DIRECT not in Connector.can_on(profile.limits).reads
    without = Connector(http, replace(login, limits=profile.limits))
    found, cursor = await texts(without)
    assert found == ["@regie.test bonjour"]

    bluesky.person("regie").password_reads_chat = True
    profile = await without.whoami()
    assert profile.limits == {"chat": True, "missing": []}
    whole = Connector(http, replace(login, limits=profile.limits))
    assert (await texts(whole, cursor))[0] == ["Vous êtes ouverts ?"]


async def test_trouble_at_their_service_stops_neither_mentions_nor_the_place_we_were_at(
    connector: Connector, bluesky: Bluesky
) -> None:
    write(bluesky, "Un")
    _, cursor = await texts(connector)
    write(bluesky, "Deux")
    bluesky.say(by="Bob", text="@regie.test bonjour", to="regie", kind="mention")
    bluesky.faults.will_answer(502, path="chat.bsky")
    found, cursor = await texts(connector, cursor)
    assert found == ["@regie.test bonjour"]
    bluesky.faults.will_answer(429, path="getMessages")
    assert (await texts(connector, cursor))[0] == []
    assert (await texts(connector, cursor))[0] == ["Deux"]
    bluesky.faults.will_answer(502, path="chat.bsky")
    assert (await connector.whoami()).limits["chat"]  # nothing was said against it
    bluesky.faults.will_answer(400, path="chat.bsky", body={"error": "ExpiredToken", "message": "Token has expired"})
    with pytest.raises(TokenExpired):
        await connector.messages(cursor=cursor)

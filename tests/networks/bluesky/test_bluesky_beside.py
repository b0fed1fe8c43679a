"""What a post on Bluesky says beside its text: cards of links, tags, labels, quotes, galleries, and its gates."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from atproto import Client

from regie.networks.bluesky.connector import Bluesky as Connector
from regie.networks.data import Draft, Outgoing, Picture, Published, Ref
from regie.networks.errors import Refused, TryLater
from regie_sandbox.bluesky.app import Bluesky

Makes = Callable[..., Outgoing]
GATE, QUOTE_GATE = "app.bsky.feed.threadgate", "app.bsky.feed.postgate"
CARD = {"link": "https://example.org/menu", "title": "The menu", "description": "Every day at noon"}


async def publish(connector: Connector, outgoing: Outgoing) -> Published:
    return await connector.commit(outgoing, (await connector.prepare(outgoing, {})).progress)


def record_of(bluesky: Bluesky, uri: str, collection: str = "app.bsky.feed.post") -> Any:
    found = bluesky.state.records.get(uri.replace("app.bsky.feed.post", collection))
    return found.value if found is not None else None


def web(uri: str, who: str = "") -> str:
    did, _, rkey = uri.removeprefix("at://").split("/")
    return f"https://bsky.app/profile/{who or did}/post/{rkey}"


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
async def test_a_link_is_shown_as_a_card_that_the_vendors_library_reads(
    connector: Connector, bluesky: Bluesky, outgoing: Makes, picture: Picture
) -> None:
    published = await publish(connector, outgoing("Lunch", pictures=(picture,), options=CARD))
    assert [(entry.text, entry.media) for entry in bluesky.world.ledger.of("bluesky")] == [("Lunch", 1)]
    (seen,) = (await connector.own_posts(since=outgoing().planned_at)).seen
    assert (seen.remote_id, seen.media) == (published.remote_id, 1)

    def walk() -> None:
        ready, client = bluesky.ready_account("alice"), Client(base_url=f"{bluesky.base}/xrpc")
        client.login(ready["handle"], ready["password"])
        card = client.get_posts([published.remote_id]).posts[0].embed.external
        assert (card.uri, card.title, card.description) == tuple(CARD.values())
        assert card.thumb.startswith(f"{bluesky.base}/img/")
        client.request.close()

    await asyncio.to_thread(walk)


async def test_tags_and_a_label_stand_in_the_record(connector: Connector, bluesky: Bluesky, outgoing: Makes) -> None:
    chosen = {"tags": ("#soldes", "été"), "label": "graphic-media"}
    published = await publish(connector, outgoing("Look", options=chosen))
    record = record_of(bluesky, published.remote_id)
    assert record["tags"] == ["soldes", "été"]
    assert record["labels"]["values"] == [{"val": "graphic-media"}]


async def test_a_post_is_quoted_by_its_address_alone_or_beside_pictures(
    connector: Connector, bluesky: Bluesky, outgoing: Makes, picture: Picture
) -> None:
    theirs = bluesky.say(by="lea", text="Blue is best")
    plain = await publish(connector, outgoing("So true", key="a", options={"quote": web(theirs, "lea.test")}))
    more = outgoing("So blue", key="b", options={"quote": web(theirs)}, pictures=(picture,))
    shown = await publish(connector, more)
    assert record_of(bluesky, plain.remote_id)["embed"]["record"]["uri"] == theirs
    embed = record_of(bluesky, shown.remote_id)["embed"]
    assert (embed["record"]["record"]["uri"], len(embed["media"]["images"])) == (theirs, 1)
    bluesky.store.delete(theirs)
    with pytest.raises(Refused, match="no longer on Bluesky"):
        await connector.prepare(replace(more, key="c"), {})


@pytest.mark.parametrize(
    ("who", "rules"),
    [("following", ["followingRule"]), ("followers", ["followerRule"]), ("mentioned", ["mentionRule"]), ("nobody", [])],
)
async def test_who_may_answer_is_said_before_the_post_is_there(
    connector: Connector, bluesky: Bluesky, outgoing: Makes, who: str, rules: list[str]
) -> None:
    what = outgoing("Closed", options={"reply_settings": who, "no_quotes": True})
    published = await publish(connector, what)
    records = [entry.remote_id.split("/")[3] for entry in bluesky.world.ledger.of("bluesky")]
    assert records == [GATE, QUOTE_GATE, "app.bsky.feed.post"]
    gate = record_of(bluesky, published.remote_id, GATE)
    assert (gate["post"], [one["$type"] for one in gate["allow"]]) == (
        published.remote_id,
        [f"{GATE}#{rule}" for rule in rules],
    )
    assert record_of(bluesky, published.remote_id, QUOTE_GATE)["embeddingRules"] == [
        {"$type": f"{QUOTE_GATE}#disableRule"}
    ]


async def test_a_repeat_keeps_the_answers_that_were_hidden_meanwhile(
    connector: Connector, bluesky: Bluesky, outgoing: Makes
) -> None:
    what = outgoing("Closed", options={"reply_settings": "followers"})
    bluesky.faults.will_lose_answer(path="putRecord", method="POST", after=1)
    with pytest.raises(TryLater):
        await publish(connector, what)
    (uri,) = (one for one in bluesky.state.records if "/app.bsky.feed.post/" in one)
    spam = bluesky.say(by="bob", text="Buy!", to=uri)
    await connector.hide(Ref(remote_id=spam, root_id=uri))
    published = await publish(connector, what)
    gate = record_of(bluesky, published.remote_id, GATE)
    assert (bluesky.texts(), gate["hiddenReplies"], len(gate["allow"])) == (["Closed"], [spam], 1)


async def test_more_than_four_pictures_are_a_gallery(
    connector: Connector, bluesky: Bluesky, outgoing: Makes, picture: Picture
) -> None:
    published = await publish(connector, outgoing("Ten", pictures=(picture,) * 10))
    embed = record_of(bluesky, published.remote_id)["embed"]
    assert (embed["$type"], len(embed["items"])) == ("app.bsky.embed.gallery", 10)
    assert {item["alt"] for item in embed["items"]} == {"Un dégradé gris"}
    (seen,) = (await connector.own_posts(since=outgoing().planned_at)).seen
    assert seen.media == 10
    samples = await connector.post_samples([Ref(remote_id=published.remote_id)])  # shown, as the lexicon has it
    assert list(samples) == [published.remote_id]


@pytest.mark.parametrize(
    ("options", "files", "why"),
    [
        ({"link": "https://example.org/"}, {}, "give the card a title"),
        (CARD, {"pictures": 2}, "has one picture"),
        (CARD, {"videos": 1}, "not both"),
        ({"title": "Alone"}, {}, "Only the card of a link"),
        ({"quote": "https://bsky.app/profile/lea.test"}, {}, "not one of Bluesky's"),
        ({"tags": ("👩‍👩‍👧‍👦" * 60,)}, {}, "too long"),
    ],
)
def test_what_does_not_go_together_is_said_beforehand(options: Any, files: Any, why: str) -> None:
    (refused,) = Connector.objections({}, Draft(text="x", options=options, **files))
    assert why in refused.said

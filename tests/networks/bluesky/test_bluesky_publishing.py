"""Posts out, on the sandbox: each format, each refusal, and each way an answer can be lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import ANY

import pytest
from PIL import Image

from regie.networks.bluesky.connector import Bluesky as Connector
from regie.networks.data import Outgoing, Picture, Poll, Published, Ref
from regie.networks.errors import Gone, Refused, SignInAgain, TokenExpired, TryLater, Unclear
from regie.networks.text import too_long_by
from regie_sandbox.bluesky.app import Bluesky
from regie_sandbox.frame import World

Makes = Callable[..., Outgoing]
FAMILY = "👨‍👩‍👧‍👦"


async def publish(connector: Connector, outgoing: Outgoing) -> Published:
    return await connector.commit(outgoing, (await connector.prepare(outgoing, {})).progress)


def record_of(bluesky: Bluesky, published: Published) -> Any:
    return bluesky.state.records[published.remote_id].value


async def test_a_text_goes_out_with_its_language_and_planned_moment(
    connector: Connector, bluesky: Bluesky, outgoing: Makes
) -> None:
    published = await publish(connector, outgoing("Bonjour à tous", language="fr"))

    record = record_of(bluesky, published)
    assert (record["text"], record["langs"]) == ("Bonjour à tous", ["fr"])
    assert record["createdAt"] == "2030-03-01T09:00:00.000Z"
    assert published.url.startswith("https://bsky.app/profile/did:plc:")
    assert published.at == datetime(2030, 3, 1, 9, tzinfo=UTC)
    assert bluesky.texts() == ["Bonjour à tous"]


async def test_links_mentions_and_tags_stand_on_the_bytes_of_the_text(
    connector: Connector, bluesky: Bluesky, outgoing: Makes
) -> None:
    lea = bluesky.person("lea")
    text = f"Été {FAMILY} @lea.test https://example.org/a?b=1. #soldes @nobody.test"
    record = record_of(bluesky, await publish(connector, outgoing(text)))

    found = {
        text.encode()[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(): facet["features"][0]
        for facet in record["facets"]
    }
    assert found == {
        "@lea.test": {"$type": "app.bsky.richtext.facet#mention", "did": lea.did},
        "https://example.org/a?b=1": {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.org/a?b=1"},
        "#soldes": {"$type": "app.bsky.richtext.facet#tag", "tag": "soldes"},
    }


async def test_pictures_carry_their_alternative_text_and_shape(
    connector: Connector, bluesky: Bluesky, outgoing: Makes, picture: Picture
) -> None:
    published = await publish(connector, outgoing("Regardez", pictures=(picture,) * 4))

    images = record_of(bluesky, published)["embed"]["images"]
    assert [(one["alt"], one["aspectRatio"]) for one in images] == [
        ("Un dégradé gris", {"width": 64, "height": 48})
    ] * 4
    assert bluesky.world.ledger.entries[-1].media == 4


async def test_a_thread_hangs_together(connector: Connector, bluesky: Bluesky, outgoing: Makes) -> None:
    first = await publish(connector, outgoing("1/3", key="a"))
    second = await publish(
        connector, outgoing("2/3", key="b", reply_to=Ref(remote_id=first.remote_id, extra=first.extra))
    )
    third = await publish(
        connector, outgoing("3/3", key="c", reply_to=Ref(remote_id=second.remote_id, extra=second.extra))
    )

    reply = record_of(bluesky, third)["reply"]
    assert (reply["root"]["uri"], reply["parent"]["uri"]) == (first.remote_id, second.remote_id)


async def test_a_reply_finds_its_thread_by_the_address_alone(
    connector: Connector, bluesky: Bluesky, outgoing: Makes
) -> None:
    first = await publish(connector, outgoing("Une question ?", key="a"))
    answer = bluesky.say(by="Léa", text="Oui", to=first.remote_id)
    ours = await publish(connector, outgoing("Merci", key="b", reply_to=Ref(remote_id=answer)))

    reply = record_of(bluesky, ours)["reply"]
    assert (reply["root"]["uri"], reply["parent"]["uri"]) == (first.remote_id, answer)


async def test_an_answer_to_what_was_taken_back_is_gone(
    connector: Connector, bluesky: Bluesky, outgoing: Makes
) -> None:
    said = bluesky.say(by="Léa", text="Oups")
    bluesky.store.delete(said)
    with pytest.raises(Gone):
        await connector.prepare(outgoing("Quoi ?", reply_to=Ref(remote_id=said)), {})


@pytest.mark.parametrize("text", ["a" * 300, FAMILY * 100 + "é" * 200, "ב" * 300, "🇫🇷" * 300])
async def test_three_hundred_graphemes_fit_and_one_more_does_not(
    connector: Connector, bluesky: Bluesky, outgoing: Makes, text: str
) -> None:
    assert too_long_by(text, Connector.can.text) == 0
    await publish(connector, outgoing(text))
    assert too_long_by(text + "a", Connector.can.text) == 1
    with pytest.raises(Refused, match="grapheme too big"):
        await publish(connector, outgoing(text + "a", key="two"))
    assert bluesky.texts() == [text]


async def test_three_thousand_bytes_are_the_other_limit(connector: Connector, outgoing: Makes) -> None:
    text = FAMILY * 121  # 25 bytes each
    assert too_long_by(text, Connector.can.text) == 25
    with pytest.raises(Refused, match="string too big"):
        await publish(connector, outgoing(text))


async def test_a_picture_over_the_limit_is_refused_with_the_vendors_sentence(
    connector: Connector, outgoing: Makes, picture: Picture
) -> None:
    Image.effect_noise((1300, 1300), 100).save(picture.path)
    assert picture.path.stat().st_size > Connector.can.images.largest_bytes  # type: ignore[union-attr]
    with pytest.raises(Refused, match="blob too big"):
        await publish(connector, outgoing(pictures=(picture,)))


async def test_an_eleventh_picture_is_refused(connector: Connector, outgoing: Makes, picture: Picture) -> None:
    with pytest.raises(Refused, match="at most 10"):
        await publish(connector, outgoing(pictures=(picture,) * 11))


@pytest.mark.parametrize(
    "more",
    [{"poll": Poll(options=("a", "b"))}, {"content_warning": "x"}, {"sensitive": True}, {"visibility": "private"}],
)
async def test_what_the_network_lacks_is_refused_before_anything_is_sent(
    connector: Connector, world: World, outgoing: Makes, more: dict[str, Any]
) -> None:
    with pytest.raises(Refused, match="Bluesky has no"):
        await connector.prepare(outgoing(**more), {})
    assert world.changes == 0


async def test_the_same_again_is_the_same_post(connector: Connector, world: World, outgoing: Makes) -> None:
    first = await publish(connector, outgoing())
    second = await publish(connector, outgoing())

    assert (first.remote_id, first.extra) == (second.remote_id, second.extra)
    assert len(world.ledger.entries) == 1


async def test_the_same_words_twice_on_purpose_are_two_posts(
    connector: Connector, bluesky: Bluesky, outgoing: Makes
) -> None:
    await publish(connector, outgoing(key="a"))
    await publish(connector, outgoing(key="b"))
    assert bluesky.texts() == ["Good morning"] * 2


async def test_a_repeat_that_was_prepared_differently_is_still_the_same_post(
    connector: Connector, bluesky: Bluesky, outgoing: Makes
) -> None:
    first = await publish(connector, outgoing("Merci @lea.test"))
    bluesky.person("lea")  # now the mention resolves, and the record would be another one
    second = await publish(connector, outgoing("Merci @lea.test"))

    assert first.remote_id == second.remote_id
    assert len(bluesky.texts()) == 1


async def test_another_text_under_the_same_key_is_refused_and_nothing_is_overwritten(
    connector: Connector, bluesky: Bluesky, outgoing: Makes
) -> None:
    await publish(connector, outgoing("First"))
    with pytest.raises(Refused, match="already holds another post"):
        await publish(connector, outgoing("Second"))
    assert bluesky.texts() == ["First"]


async def test_a_lost_answer_may_be_asked_for_again(connector: Connector, bluesky: Bluesky, outgoing: Makes) -> None:
    bluesky.faults.will_lose_answer(path="putRecord")
    with pytest.raises(TryLater):
        await publish(connector, outgoing())
    published = await publish(connector, outgoing())

    assert bluesky.posts() == [published.remote_id]


@pytest.mark.parametrize("until", [None, datetime.now(UTC) - timedelta(seconds=1)])
async def test_a_lost_answer_is_unclear_when_a_repeat_is_not_known_to_be_safe(
    connector: Connector, bluesky: Bluesky, outgoing: Makes, until: datetime | None
) -> None:
    bluesky.faults.will_lose_answer(path="putRecord")
    with pytest.raises(Unclear):
        await publish(connector, outgoing(repeat_until=until))


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
async def test_trouble_at_the_server_is_unclear_or_later(
    connector: Connector, bluesky: Bluesky, outgoing: Makes, status: int
) -> None:
    bluesky.faults.will_do_but_answer(status, path="putRecord", times=2)
    with pytest.raises(TryLater):
        await publish(connector, outgoing())
    with pytest.raises(Unclear):
        await publish(connector, outgoing(repeat_until=None))


async def test_a_yes_that_cannot_be_read_is_unclear_or_later(
    connector: Connector, bluesky: Bluesky, outgoing: Makes
) -> None:
    bluesky.faults.will_do_but_answer(200, body="<html>fine</html>", path="putRecord", times=2)
    with pytest.raises(TryLater):
        await publish(connector, outgoing())
    with pytest.raises(Unclear):
        await publish(connector, outgoing(repeat_until=None))


async def test_a_server_that_is_away_is_later_even_when_a_repeat_is_not_safe(
    connector: Connector, outgoing: Makes, unused_address: str
) -> None:
    away = Connector(connector._xrpc.http, replace(connector._xrpc.login, server=unused_address))
    with pytest.raises(TryLater, match="could not be reached"):
        await publish(away, outgoing(repeat_until=None))


@pytest.fixture
async def unused_address() -> str:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    return f"http://127.0.0.1:{port}"


async def test_pictures_that_the_server_threw_away_are_uploaded_again(
    connector: Connector, bluesky: Bluesky, outgoing: Makes, picture: Picture
) -> None:
    step = outgoing(pictures=(picture,))
    ready = await connector.prepare(step, {})
    bluesky.state.blobs.clear()
    published = await connector.commit(step, ready.progress)
    assert bluesky.posts() == [published.remote_id]


async def test_a_post_moved_after_it_was_prepared_carries_its_new_moment(
    connector: Connector, bluesky: Bluesky, outgoing: Makes
) -> None:
    ready = await connector.prepare(outgoing("Bonjour"), {})
    moved = datetime(2030, 3, 2, 9, tzinfo=UTC)
    published = await connector.commit(outgoing("Bonsoir", planned_at=moved), ready.progress)
    assert published.at == moved
    assert bluesky.texts() == ["Bonsoir"]


async def test_the_servers_own_hour_is_kept_when_it_asks_to_slow_down(
    connector: Connector, bluesky: Bluesky, world: World, outgoing: Makes
) -> None:
    bluesky.limits.points_an_hour = 3
    world.clock.set(datetime(2030, 3, 1, 9, tzinfo=UTC))
    bluesky.state.tokens = {text: replace(token, expires=2e9) for text, token in bluesky.state.tokens.items()}
    await publish(connector, outgoing(key="a"))
    with pytest.raises(TryLater) as slow:
        await publish(connector, outgoing(key="b"))
    assert slow.value.not_before == datetime(2030, 3, 1, 10, tzinfo=UTC)
    assert not isinstance(slow.value, TokenExpired)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "30", "ratelimit-reset": ""}, 30), ({"ratelimit-reset": "1900000000"}, None)],
)
async def test_both_ways_of_naming_the_hour_are_understood(
    connector: Connector, bluesky: Bluesky, outgoing: Makes, headers: dict[str, str], seconds: int | None
) -> None:
    bluesky.faults.will_answer(429, headers=headers)
    with pytest.raises(TryLater) as slow:
        await publish(connector, outgoing())
    assert slow.value.not_before is not None
    if seconds is None:
        assert slow.value.not_before == datetime.fromtimestamp(1_900_000_000, UTC)
    else:
        assert abs((slow.value.not_before - datetime.now(UTC)).total_seconds() - seconds) < 5


async def test_an_expired_token_asks_for_a_refresh_and_nothing_was_done(
    connector: Connector, bluesky: Bluesky, world: World, outgoing: Makes
) -> None:
    world.clock.advance(timedelta(hours=3))
    with pytest.raises(TokenExpired):
        await publish(connector, outgoing())
    assert bluesky.texts() == []


async def test_a_dead_token_asks_for_a_person(connector: Connector, bluesky: Bluesky, outgoing: Makes) -> None:
    bluesky.state.tokens.clear()
    with pytest.raises(SignInAgain):
        await publish(connector, outgoing())


async def test_a_closed_account_asks_for_a_person(connector: Connector, bluesky: Bluesky, outgoing: Makes) -> None:
    bluesky.person("regie").closed = True
    with pytest.raises(SignInAgain, match="closed"):
        await publish(connector, outgoing())


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [(200, {}, "<html>Welcome</html>"), (301, {"Location": "https://example.org/"}, ""), (404, {}, "<html>No</html>")],
)
async def test_an_address_that_is_no_bluesky_server_says_so(
    connector: Connector, bluesky: Bluesky, status: int, headers: dict[str, str], body: str
) -> None:
    bluesky.faults.will_answer(status, headers=headers, body=body)
    with pytest.raises(Refused, match="not"):
        await connector.whoami()


async def test_a_post_is_taken_away_and_away_it_stays(connector: Connector, bluesky: Bluesky, outgoing: Makes) -> None:
    published = await publish(connector, outgoing())
    assert await connector.fetch(published.remote_id) == replace(published, answer=None)
    for _ in range(2):
        await connector.delete(Ref(remote_id=published.remote_id))
    assert bluesky.texts() == []
    with pytest.raises(Gone):
        await connector.fetch(published.remote_id)


async def test_nobody_elses_post_is_taken_away(connector: Connector, bluesky: Bluesky) -> None:
    said = bluesky.say(by="Léa", text="Le mien")
    with pytest.raises(Refused):
        await connector.delete(Ref(remote_id=said))
    assert bluesky.texts("Léa") == ["Le mien"]


@pytest.mark.parametrize("spoil", ["lost", "dead", "echoed"])
async def test_no_secret_is_in_an_error(connector: Connector, bluesky: Bluesky, outgoing: Makes, spoil: str) -> None:
    secret = connector._xrpc.login.credentials["access"]
    if spoil == "lost":
        bluesky.faults.will_lose_answer(path="putRecord")
    elif spoil == "dead":
        bluesky.faults.will_answer(401, path="putRecord")
    else:
        bluesky.faults.will_answer(200, body={"uri": 1, "accessJwt": secret}, path="putRecord")
    with pytest.raises((TryLater, SignInAgain)) as caught:
        await publish(connector, outgoing())

    error = caught.value
    kept = error.answer.kept() if error.answer else ""
    assert secret not in f"{error!r}{error.__cause__!r}{error.__context__!r}{kept}{connector._xrpc.login!r}"


async def test_a_first_comment_stands_under_its_post_and_is_found_by_its_key(
    connector: Connector, bluesky: Bluesky, outgoing: Makes
) -> None:
    post = await publish(connector, outgoing("The coat is here"))
    under = Ref(remote_id=post.remote_id, root_id=post.remote_id, extra=post.extra, root_extra=post.extra)
    comment = outgoing("#linen", key="two", reply_to=under, comment=True)
    assert await connector.comment_found(comment) is None

    bluesky.faults.will_lose_answer(path="putRecord")
    with pytest.raises(TryLater):
        await publish(connector, comment)
    found = await connector.comment_found(comment)
    assert found is not None
    assert await publish(connector, comment) == replace(found, answer=ANY)
    assert record_of(bluesky, found)["reply"]["parent"]["uri"] == post.remote_id
    assert bluesky.texts() == ["The coat is here", "#linen"]

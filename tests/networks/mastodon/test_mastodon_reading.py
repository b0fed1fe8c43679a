"""What people say to us on Mastodon, what we find of our own, and the numbers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from regie.networks.capabilities import MessageKind
from regie.networks.data import Login, Messages, Outgoing, Picture, Poll, Published, Ref
from regie.networks.errors import Gone, Refused, TryLater
from regie.networks.mastodon.connector import Mastodon as Connector
from regie.networks.mastodon.entities import Mention
from regie.networks.mastodon.plain import plain_text
from regie_sandbox.mastodon.app import Mastodon

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


async def publish(connector: Connector, text: str, **more: Any) -> Published:
    what = Outgoing(**{"key": text, "text": text, "planned_at": datetime.now(UTC), **more})
    ready = await connector.prepare(what, {})
    published = await connector.commit(what, ready.progress)
    assert isinstance(published, Published)
    return published


async def everything(connector: Connector, cursor: str = "") -> tuple[list[str], str]:
    texts: list[str] = []
    more = True
    while more:
        page: Messages = await connector.messages(cursor=cursor)
        texts += [message.text for message in page.messages]
        cursor, more = page.cursor, page.more
    return texts, cursor


async def test_answers_mentions_and_private_messages_arrive_under_their_post(
    connector: Connector, mastodon: Mastodon
) -> None:
    post = await publish(connector, "Open today")
    mastodon.say(by="ana", text="Until when?", to=post.remote_id)
    mastodon.say(by="bo", text="lovely shop", to="regie", kind="mention")
    mastodon.say(by="cy", text="my order?", to="regie", kind="direct")
    reply, mention, direct = (await connector.messages(cursor="")).messages
    assert (reply.kind, reply.post_id, reply.reply_to_id) == (MessageKind.REPLY, post.remote_id, post.remote_id)
    assert (reply.text, reply.by.handle, reply.by.name) == ("@regie Until when?", "@ana", "ana")
    assert (mention.kind, mention.post_id, mention.conversation_id) == (MessageKind.MENTION, "", mention.remote_id)
    assert (direct.kind, direct.extra["visibility"]) == (MessageKind.DIRECT, "direct")


async def test_a_thread_stays_one_conversation_under_our_first_post(connector: Connector, mastodon: Mastodon) -> None:
    post = await publish(connector, "Open today")
    asked = mastodon.say(by="ana", text="Until when?", to=post.remote_id)
    answer = await publish(connector, "Six", reply_to=Ref(remote_id=asked, extra={"acct": "ana"}))
    mastodon.say(by="ana", text="Thanks", to=answer.remote_id)
    mastodon.say(by="bo", text="@regie me too", to=asked)
    found = (await connector.messages(cursor="")).messages
    assert [one.text for one in found] == ["@regie Until when?", "@regie Thanks", "@ana @regie me too"]
    assert {one.conversation_id for one in found} == {one.post_id for one in found} == {post.remote_id}


async def test_reading_goes_on_from_the_cursor_without_doubles(connector: Connector, mastodon: Mastodon) -> None:
    assert await everything(connector) == ([], "")
    mastodon.say(by="ana", text="0", to="regie", kind="mention")
    texts, cursor = await everything(connector)
    for number in range(1, 101):
        mastodon.say(by="ana", text=str(number), to="regie", kind="mention")
    mastodon.like(by="ana", post_id=(await publish(connector, "post")).remote_id)
    fresh, last = await everything(connector, cursor)
    assert texts + fresh == [f"@regie {number}" for number in range(101)]
    assert await everything(connector, cursor) == (fresh, last)
    assert await everything(connector, last) == ([], last)


async def test_a_server_that_ignores_the_cursor_gives_no_doubles_either(
    connector: Connector, mastodon: Mastodon
) -> None:
    for text in ("old", "new"):
        mastodon.say(by="ana", text=text, to="regie", kind="mention")
    notes = mastodon.state.notifications[mastodon.person("regie").id]
    shown = [mastodon.shows.notification(one, "", mastodon.now()) for one in reversed(notes)]
    mastodon.faults.will_answer(200, body=shown, path="/notifications")
    page = await connector.messages(cursor=notes[0].id)
    assert ([one.text for one in page.messages], page.cursor, page.more) == (["@regie new"], notes[1].id, False)


async def test_own_posts_reach_back_over_pages(connector: Connector, mastodon: Mastodon, picture: Picture) -> None:
    mastodon.world.clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    me = mastodon.person("regie")
    for number in range(90):
        mastodon.world.clock.advance(timedelta(minutes=1))
        mastodon.publish(me, f"post {number}", visibility="direct" if number == 5 else "public")
    mastodon.share(by="regie", post_id=mastodon.publish(mastodon.person("ana"), "hers").id)
    mastodon.say(by="ana", text="an answer that is not ours", to=me.statuses[0])
    await publish(connector, "with a picture", pictures=(picture,))
    listing = await connector.own_posts(since=datetime(2030, 1, 1, tzinfo=UTC))
    assert [one.text for one in listing.seen] == ["with a picture", *(f"post {n}" for n in reversed(range(90)))]
    assert (listing.seen[0].media, listing.seen[1].media) == (1, 0)
    assert listing.reaches_back_to == datetime(2030, 1, 1, tzinfo=UTC)
    assert listing.network_now == mastodon.world.clock.now().replace(microsecond=0)
    later = await connector.own_posts(since=datetime(2030, 1, 1, 1, 20, tzinfo=UTC))
    assert len(later.seen) == 12


async def test_a_first_comment_stands_under_its_post_and_is_found_or_known_to_be_absent(
    connector: Connector, mastodon: Mastodon
) -> None:
    mastodon.world.clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    post = await publish(connector, "Open today")
    what = Outgoing(
        key="comment",
        text="Détails : https://a.example/x?a=1&b=2\n#linen",
        planned_at=mastodon.world.clock.now(),
        reply_to=Ref(remote_id=post.remote_id, root_id=post.remote_id),
        comment=True,
    )
    with pytest.raises(TryLater) as early:
        await connector.comment_found(what)
    assert early.value.not_before == what.planned_at + timedelta(seconds=30)
    there = await publish(connector, what.text, key="comment", reply_to=what.reply_to, comment=True)
    assert mastodon.status(there.remote_id).in_reply_to_id == post.remote_id
    found = await connector.comment_found(what)
    assert found is not None
    assert (found.remote_id, found.url) == (there.remote_id, there.url)
    mastodon.world.clock.advance(timedelta(seconds=31))
    assert await connector.comment_found(replace(what, text="Other words")) is None
    assert await connector.comment_found(replace(what, reply_to=Ref(remote_id=there.remote_id))) is None


async def test_a_listing_that_lags_shows_the_post_later(connector: Connector, mastodon: Mastodon) -> None:
    mastodon.world.clock.set(datetime(2030, 1, 1, tzinfo=UTC))
    mastodon.faults.listing_lag = 20
    await publish(connector, "soon there")
    assert (await connector.own_posts(since=LONG_AGO)).seen == ()
    mastodon.world.clock.advance(timedelta(seconds=20))
    assert [one.text for one in (await connector.own_posts(since=LONG_AGO)).seen] == ["soon there"]


async def test_a_server_without_pages_says_how_far_back_it_shows(connector: Connector, mastodon: Mastodon) -> None:
    await publish(connector, "only one")
    me = mastodon.person("regie")
    shown = mastodon.shows.many([mastodon.status(me.statuses[0])], me.id, mastodon.now())
    mastodon.faults.will_answer(200, body=shown, path="/statuses", times=9)
    listing = await connector.own_posts(since=LONG_AGO)
    assert listing.reaches_back_to == listing.seen[0].created_at


async def test_likes_and_unlikes(connector: Connector, mastodon: Mastodon) -> None:
    said = mastodon.say(by="ana", text="hello", to="regie", kind="mention")
    liked = await connector.like(Ref(remote_id=said))
    assert mastodon.status(said).favourited_by == {mastodon.person("regie").id}
    await connector.unlike(Ref(remote_id=said), liked)
    assert mastodon.status(said).favourited_by == set()
    with pytest.raises(Gone):
        await connector.like(Ref(remote_id="113000000000000000"))


@pytest.mark.parametrize("api_version", [7, None])
async def test_samples_are_what_the_network_says(
    connector: Connector, mastodon: Mastodon, login: Login, http: aiohttp.ClientSession, api_version: int | None
) -> None:
    connector = Connector(http, replace(login, limits={**login.limits, "api_version": api_version}))
    post = await publish(connector, "Q?", poll=Poll(options=("a", "b"), lasts=timedelta(days=1)))
    plain = await publish(connector, "plain")
    mastodon.like(by="ana", post_id=post.remote_id)
    mastodon.like(by="bo", post_id=post.remote_id)
    mastodon.share(by="ana", post_id=post.remote_id)
    mastodon.say(by="ana", text="nice", to=post.remote_id)
    poll = mastodon.status(post.remote_id).poll
    assert poll is not None
    mastodon.vote(mastodon.person("ana"), poll, [1])
    refs = [Ref(remote_id=one) for one in (post.remote_id, plain.remote_id, "113000000000000000")]
    assert await connector.post_samples(refs) == {
        post.remote_id: {"likes": 2, "shares": 1, "replies": 1, "quotes": 0, "votes": 1},
        plain.remote_id: {"likes": 0, "shares": 0, "replies": 0, "quotes": 0, "votes": None},
    }
    mastodon.follow(by="ana", account="regie")
    assert await connector.account_samples() == {"followers": 1, "following": 0, "posts": 2}


async def test_more_than_20_posts_are_asked_for_in_parts(connector: Connector, mastodon: Mastodon) -> None:
    ids = [mastodon.publish(mastodon.person("regie"), str(n)).id for n in range(45)]
    assert set(await connector.post_samples([Ref(remote_id=one) for one in ids])) == set(ids)


async def test_a_number_that_a_server_does_not_tell_is_none(connector: Connector, mastodon: Mastodon) -> None:
    post = await publish(connector, "plain")
    shown = mastodon.shows.status(mastodon.status(post.remote_id), None, mastodon.now())
    del shown["quotes_count"]
    mastodon.faults.will_answer(200, body=[{**shown, "from_the_future": {"x": 1}}], path="/statuses")
    assert (await connector.post_samples([Ref(remote_id=post.remote_id)]))[post.remote_id]["quotes"] is None


async def test_a_stream_wakes_us_when_somebody_speaks(connector: Connector, mastodon: Mastodon) -> None:
    stream = connector.stream()
    await asyncio.wait_for(anext(stream), 5)  # connected
    mastodon.say(by="ana", text="hello", to="regie", kind="mention")
    await asyncio.wait_for(anext(stream), 5)
    assert [one.text for one in (await connector.messages(cursor="")).messages] == ["@regie hello"]
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_server_without_a_stream_says_so(connector: Connector, mastodon: Mastodon, login: Login) -> None:
    mastodon.faults.will_answer(404, path="/streaming")
    with pytest.raises(Refused):
        await anext(connector.stream())


async def test_a_stream_that_cannot_be_reached_is_tried_later(http: aiohttp.ClientSession, login: Login) -> None:
    away = replace(login, server="http://127.0.0.1:9", limits={})
    with pytest.raises(TryLater):
        await anext(Connector(http, away).stream())


@pytest.mark.parametrize(
    ("html", "typed"),
    [
        ("<p>one<br />two</p><p>three</p>", "one\ntwo\n\nthree"),
        (
            '<p><a href="https://example.org/a-very-long-way-to-go?x=1&amp;y=2"><span class="invisible">https://</span>'
            '<span class="ellipsis">example.org/a-very-long-way-to</span><span class="invisible">-go?x=1&amp;y=2</span>'
            "</a></p>",
            "https://example.org/a-very-long-way-to-go?x=1&y=2",
        ),
        (
            '<p><a href="https://example.org/page" target="_blank">example.org/page</a> ok</p>',
            "https://example.org/page ok",
        ),
        ('<p><a href="https://example.org/page">example.org/p…</a></p>', "https://example.org/page"),
        ('<p><a class="mention hashtag" href="https://m.example/tags/Vin">#<span>Vin</span></a></p>', "#Vin"),
        (
            '<p><span class="h-card"><a href="https://far.example/@bob" class="u-url mention">@<span>bob</span></a>'
            "</span> hi</p>",
            "@bob@far.example hi",
        ),
        ("<p>1 &lt; 2 &amp; 3</p>", "1 < 2 & 3"),
        ("", ""),
        ("no tags at all", "no tags at all"),
        ('<p>cut <a href="https://example.org/">https://example.org/', "cut https://example.org/"),
    ],
)
def test_html_becomes_what_was_typed(html: str, typed: str) -> None:
    assert plain_text(html, [Mention(acct="bob@far.example", url="https://far.example/@bob")]) == typed

"""What comes back: messages, likes, the account's own posts, numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from regie.networks.bluesky.connector import Bluesky as Connector
from regie.networks.capabilities import MessageKind
from regie.networks.data import Outgoing, Picture, Published, Ref
from regie.networks.errors import Refused, TryLater
from regie_sandbox.bluesky.app import Bluesky
from regie_sandbox.frame import World

Makes = Callable[..., Outgoing]


@pytest.fixture
async def post(connector: Connector, outgoing: Makes) -> Published:
    return await connector.commit(outgoing("Quelle couleur ?"), {})


async def test_replies_mentions_and_quotes_arrive_once_each_oldest_first(
    connector: Connector, bluesky: Bluesky, post: Published
) -> None:
    reply = bluesky.say(by="Léa Petit", text="Bleu !", to=post.remote_id)
    bluesky.say(by="Bob", text="@regie.test bonjour", to="regie", kind="mention")
    bluesky.say(by="Chloé", text="À voir", to=post.remote_id, kind="quote")
    bluesky.like(by="Bob", post_id=post.remote_id)

    first = await connector.messages(cursor="")
    assert [(one.kind, one.text, one.by.name) for one in first.messages] == [
        (MessageKind.REPLY, "Bleu !", "Léa Petit"),
        (MessageKind.MENTION, "@regie.test bonjour", "Bob"),
        (MessageKind.MENTION, "À voir", "Chloé"),
    ]
    bleu = first.messages[0]
    assert (bleu.remote_id, bleu.post_id, bleu.conversation_id) == (reply, post.remote_id, post.remote_id)
    assert (bleu.reply_to_id, bleu.likes, bleu.liked_by_us, bleu.by.handle) == (
        post.remote_id,
        0,
        False,
        "lea-petit.test",
    )
    assert (await connector.messages(cursor="")).messages == first.messages
    assert (await connector.messages(cursor=first.cursor)).messages == ()

    bluesky.say(by="Léa Petit", text="Ou vert", to=post.remote_id)
    assert [one.text for one in (await connector.messages(cursor=first.cursor)).messages] == ["Ou vert"]


async def test_an_answer_deep_in_the_thread_belongs_to_our_post(
    connector: Connector, bluesky: Bluesky, post: Published
) -> None:
    reply = bluesky.say(by="Léa", text="Bleu", to=post.remote_id)
    bluesky.say(by="Bob", text="Non, vert", to=reply)
    deep = (await connector.messages(cursor="")).messages[-1]
    assert (deep.text, deep.post_id, deep.reply_to_id) == ("Non, vert", post.remote_id, reply)


async def test_a_message_that_travelled_long_is_not_missed(
    connector: Connector, bluesky: Bluesky, world: World, post: Published
) -> None:
    bluesky.say(by="Léa", text="Maintenant", to=post.remote_id)
    seen = await connector.messages(cursor="")
    late = bluesky.say(by="Bob", text="Parti avant, arrivé après", to=post.remote_id)
    bluesky.state.records[late].indexed_at -= timedelta(minutes=10)

    assert [one.text for one in (await connector.messages(cursor=seen.cursor)).messages] == [
        "Parti avant, arrivé après"
    ]


async def test_more_than_a_page_is_read_to_the_cursor(connector: Connector, bluesky: Bluesky, post: Published) -> None:
    bluesky.say(by="Léa", text="0", to=post.remote_id)
    start = await connector.messages(cursor="")
    for number in range(1, 131):
        bluesky.say(by="Léa", text=str(number), to=post.remote_id)

    read = await connector.messages(cursor=start.cursor)
    assert [one.text for one in read.messages] == [str(number) for number in range(1, 131)]


async def test_what_was_taken_back_before_we_read_it_is_not_told(
    connector: Connector, bluesky: Bluesky, post: Published
) -> None:
    bluesky.store.delete(bluesky.say(by="Léa", text="Oups", to=post.remote_id))
    assert (await connector.messages(cursor="")).messages == ()


@pytest.mark.parametrize("cursor", ["nonsense", "[]", '{"at": "yesterday"}'])
async def test_a_strange_cursor_is_refused(connector: Connector, cursor: str) -> None:
    with pytest.raises(Refused):
        await connector.messages(cursor=cursor)


async def test_a_like_is_one_like_however_often_and_can_be_taken_back(
    connector: Connector, bluesky: Bluesky, post: Published
) -> None:
    reply = bluesky.say(by="Léa", text="Bleu", to=post.remote_id)
    message = (await connector.messages(cursor="")).messages[0]
    ref = Ref(remote_id=reply, extra=message.extra)
    liked = await connector.like(ref)
    assert await connector.like(Ref(remote_id=reply)) == liked
    assert len(bluesky.store.reactions(reply).likes) == 1
    assert (await connector.messages(cursor="")).messages[0].liked_by_us is True

    await connector.unlike(ref, liked)
    assert bluesky.store.reactions(reply).likes == {}


async def test_a_lost_like_may_be_asked_for_again(connector: Connector, bluesky: Bluesky, post: Published) -> None:
    reply = bluesky.say(by="Léa", text="Bleu", to=post.remote_id)
    bluesky.faults.will_lose_answer(path="putRecord")
    with pytest.raises(TryLater):
        await connector.like(Ref(remote_id=reply))
    await connector.like(Ref(remote_id=reply))
    assert len(bluesky.store.reactions(reply).likes) == 1


async def test_numbers_of_posts_come_in_batches_and_leave_out_what_is_gone(
    connector: Connector, bluesky: Bluesky, outgoing: Makes
) -> None:
    posts = [await connector.commit(outgoing(f"{number}", key=f"{number}"), {}) for number in range(30)]
    first, last = posts[0].remote_id, posts[-1].remote_id
    for name in ("Léa", "Bob"):
        bluesky.like(by=name, post_id=first)
    bluesky.share(by="Bob", post_id=first)
    bluesky.say(by="Bob", text="Oui", to=first)
    bluesky.say(by="Bob", text="Voyez", to=first, kind="quote")
    bluesky.store.delete(last)

    samples = await connector.post_samples([Ref(remote_id=one.remote_id) for one in posts])
    assert samples[first] == {"likes": 2, "shares": 1, "replies": 1, "quotes": 1}
    assert len(samples) == 29
    assert set(samples[first]) == set(Connector.can.post_metrics)


async def test_a_number_the_network_does_not_say_is_not_zero(
    connector: Connector, bluesky: Bluesky, post: Published
) -> None:
    author = {"did": bluesky.person("regie").did, "handle": "regie.test"}
    view = {"uri": post.remote_id, "cid": "x", "author": author, "record": {}, "indexedAt": "2030-01-01T00:00:00Z"}
    bluesky.faults.will_answer(200, body={"posts": [view]})
    samples = await connector.post_samples([Ref(remote_id=post.remote_id)])
    assert set(samples[post.remote_id].values()) == {None}


async def test_the_account_says_its_followers(connector: Connector, bluesky: Bluesky, post: Published) -> None:
    bluesky.follow(by="Léa", account="regie")
    samples = await connector.account_samples()
    assert samples == {"followers": 1, "following": 0, "posts": 1}
    assert set(samples) == set(Connector.can.account_metrics)
    bluesky.unfollow(by="Léa", account="regie")
    assert (await connector.account_samples())["followers"] == 0


async def test_own_posts_are_listed_newest_first_back_to_a_moment(
    connector: Connector, outgoing: Makes, picture: Picture
) -> None:
    start = datetime(2030, 3, 1, tzinfo=UTC)
    for day in range(5):
        pictures = (picture,) if day == 4 else ()
        step = outgoing(f"Jour {day}", key=f"{day}", planned_at=start + timedelta(days=day), pictures=pictures)
        await connector.commit(step, {})

    listing = await connector.own_posts(since=start + timedelta(days=2))
    assert [(one.text, one.media) for one in listing.seen] == [("Jour 4", 1), ("Jour 3", 0), ("Jour 2", 0)]
    assert listing.reaches_back_to == start + timedelta(days=2)
    assert listing.network_now is not None


async def test_own_posts_are_listed_over_several_pages(connector: Connector, outgoing: Makes) -> None:
    start = datetime(2030, 3, 1, tzinfo=UTC)
    for number in range(120):
        await connector.commit(outgoing(str(number), key=str(number), planned_at=start + timedelta(minutes=number)), {})
    listing = await connector.own_posts(since=start)
    assert [one.text for one in listing.seen] == [str(number) for number in reversed(range(120))]


async def test_without_an_appview_reading_waits_and_the_account_is_still_healthy(
    connector: Connector, bluesky: Bluesky
) -> None:
    bluesky.faults.will_answer(502, path="app.bsky", times=3)
    with pytest.raises(TryLater):
        await connector.account_samples()
    with pytest.raises(TryLater):
        await connector.messages(cursor="")
    assert (await connector.whoami()).handle == "regie.test"


async def test_the_audience_cannot_say_what_this_network_lacks(bluesky: Bluesky) -> None:
    with pytest.raises(ValueError, match="review"):
        bluesky.say(by="Léa", text="cinq étoiles", to="regie", kind="review")

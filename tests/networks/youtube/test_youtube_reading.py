"""Comments and answers, hiding, and numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Published, Ref
from regie.networks.errors import Gone, Refused, TokenExpired, TryLater
from regie.networks.youtube.connector import YouTube as Connector
from regie_sandbox.youtube.app import YouTube
from regie_sandbox.youtube.state import HELD

from .posting import NOW, publish, saying

Make = Callable[..., Any]


@pytest.fixture
async def post(connector: Connector, video: Make) -> Published:
    return await publish(connector, saying("Open today", videos=(video(),)))


def ref_to(message: Incoming) -> Ref:
    return Ref(remote_id=message.remote_id, root_id=message.conversation_id, extra=message.extra)


async def test_comments_and_answers_with_what_they_belong_to(
    youtube: YouTube, connector: Connector, post: Published
) -> None:
    top = youtube.say(by="Ana", text="Until when? 👩‍👩‍👧‍👦", to=post.remote_id)
    youtube.world.clock.advance(timedelta(seconds=5))
    answer = youtube.say(by="Ben", text="I wonder too", to=top)
    first, second = (await connector.messages(cursor="")).messages
    assert (first.remote_id, first.text, first.kind) == (top, "Until when? 👩‍👩‍👧‍👦", MessageKind.COMMENT)
    assert (first.by.handle, first.post_id, first.reply_to_id) == ("@ana", post.remote_id, post.remote_id)
    assert first.url == f"{youtube.base}/watch?v={post.remote_id}&lc={top}"
    assert (second.remote_id, second.reply_to_id, second.conversation_id) == (answer, top, post.remote_id)
    assert (first.said_at, second.said_at) == (NOW, NOW + timedelta(seconds=5))


async def test_reading_again_tells_only_what_is_new(youtube: YouTube, connector: Connector, post: Published) -> None:
    youtube.say(by="Ana", text="One", to=post.remote_id)
    first = await connector.messages(cursor="")
    two = youtube.say(by="Ben", text="Two", to=post.remote_id)  # in the same second
    again = await connector.messages(cursor=first.cursor)
    assert [one.remote_id for one in again.messages] == [two]
    assert (await connector.messages(cursor=again.cursor)).messages == ()


async def test_what_waits_for_review_is_told_as_hidden_and_once_more_when_it_was_shown(
    youtube: YouTube, connector: Connector, post: Published
) -> None:
    held = youtube.say(by="Ana", text="Buy https://example.org", to=post.remote_id)
    youtube.state.comments[held].status = HELD
    youtube.world.clock.advance(timedelta(minutes=40))
    top = youtube.say(by="Ben", text="Lovely", to=post.remote_id)
    answer = youtube.say(by="Cleo", text="Buy mine", to=top)
    youtube.state.comments[answer].status = HELD
    first = await connector.messages(cursor="")
    assert {one.remote_id: one.hidden for one in first.messages} == {held: True, top: False, answer: True}
    assert (await connector.messages(cursor=first.cursor)).messages == ()
    youtube.world.clock.advance(timedelta(days=2))
    youtube.state.comments[held].status = "published"  # in YouTube Studio
    later = _anew(connector, youtube)
    again = await later.messages(cursor=first.cursor)
    assert [(one.remote_id, one.hidden) for one in again.messages] == [(held, False)]
    assert (await later.messages(cursor=again.cursor)).messages == ()


async def test_a_channel_whose_comments_all_wait_for_review_is_read_once(
    youtube: YouTube, connector: Connector, post: Published
) -> None:
    held = youtube.say(by="Ana", text="Buy mine", to=post.remote_id)
    youtube.state.comments[held].status = HELD
    first = await connector.messages(cursor="")
    assert [(one.remote_id, one.hidden) for one in first.messages] == [(held, True)]
    assert (await connector.messages(cursor=first.cursor)).messages == ()


async def test_what_waits_for_review_and_cannot_be_listed_keeps_nothing_else_away(
    youtube: YouTube, connector: Connector, post: Published
) -> None:
    youtube.say(by="Ben", text="Lovely", to=post.remote_id)
    youtube.faults.will_answer(403, path="commentThreads")
    found = await connector.messages(cursor="")
    assert [(one.text, one.hidden) for one in found.messages] == [("Lovely", False)]


async def test_the_comment_of_somebody_is_rejected_for_good(
    youtube: YouTube, connector: Connector, post: Published
) -> None:
    held = youtube.say(by="Ana", text="Buy mine", to=post.remote_id)
    youtube.state.comments[held].status = HELD
    (message,) = (await connector.messages(cursor="")).messages
    for _ in range(2):
        await connector.delete(ref_to(message))
    assert youtube.state.comments[held].status == "rejected"
    assert (await connector.messages(cursor="")).messages == ()


async def test_a_long_thread_is_read_to_its_end_and_again_when_it_grows(
    youtube: YouTube, connector: Connector, post: Published
) -> None:
    top = youtube.say(by="Ana", text="What do you think?", to=post.remote_id)
    for number in range(120):
        youtube.say(by=f"Person {number}", text=f"Answer {number}", to=top)
    first = await connector.messages(cursor="")
    assert len(first.messages) == 121
    youtube.world.clock.advance(timedelta(minutes=9))
    late = [youtube.say(by="Ben", text=f"Late {number}", to=top) for number in range(8)]
    again = await connector.messages(cursor=first.cursor)
    assert {one.remote_id for one in again.messages} == set(late)


async def test_more_threads_than_a_page_holds(youtube: YouTube, connector: Connector, post: Published) -> None:
    youtube.say(by="Ana", text="First", to=post.remote_id)
    first = await connector.messages(cursor="")
    for number in range(150):
        youtube.world.clock.advance(timedelta(seconds=1))
        youtube.say(by=f"Person {number}", text=f"Comment {number}", to=post.remote_id)
    again = await connector.messages(cursor=first.cursor)
    assert [one.text for one in again.messages] == [f"Comment {number}" for number in range(150)]


async def test_our_own_words_are_not_messages(youtube: YouTube, connector: Connector, post: Published) -> None:
    comment = await publish(connector, saying("Ask us", reply_to=Ref(remote_id=post.remote_id, extra=post.extra)))
    assert (await connector.messages(cursor="")).messages == ()
    assert comment.url.endswith(f"&lc={comment.remote_id}")


async def test_an_answer_to_an_answer_stands_beside_it(youtube: YouTube, connector: Connector, post: Published) -> None:
    top = youtube.say(by="Ana", text="Until when?", to=post.remote_id)
    youtube.say(by="Ben", text="I wonder too", to=top)
    _, answer = (await connector.messages(cursor="")).messages
    ours = await publish(connector, saying("Until six", reply_to=ref_to(answer)))
    assert youtube.state.comments[ours.remote_id].parent == top


async def test_own_comments_are_changed_and_deleted_and_others_are_only_rejected(
    youtube: YouTube, connector: Connector, post: Published
) -> None:
    ours = await publish(connector, saying("Ask us", reply_to=Ref(remote_id=post.remote_id, extra=post.extra)))
    ref = Ref(remote_id=ours.remote_id, extra=ours.extra)
    await connector.edit(ref, saying("Ask us anything", reply_to=ref), {})
    assert youtube.state.comments[ours.remote_id].text == "Ask us anything"
    await connector.delete(ref)
    await connector.delete(ref)
    assert ours.remote_id not in youtube.state.comments
    theirs = Ref(remote_id=youtube.say(by="Ana", text="Hello", to=post.remote_id), extra={"kind": "comment"})
    with pytest.raises(Refused, match="permissions"):
        await connector.delete(theirs)


async def test_no_comments_under_a_video_for_children(youtube: YouTube, connector: Connector, video: Make) -> None:
    post = await publish(connector, saying(videos=(video(),), options={"made_for_kids": "yes"}))
    with pytest.raises(Refused, match="switched off"):
        await publish(connector, saying("Hello", reply_to=Ref(remote_id=post.remote_id, extra=post.extra)))


async def test_a_comment_that_is_gone_cannot_be_answered(
    youtube: YouTube, connector: Connector, post: Published
) -> None:
    youtube.say(by="Ana", text="Hello", to=post.remote_id)
    (message,) = (await connector.messages(cursor="")).messages
    youtube.remove_comment(youtube.state.comments[message.remote_id])
    with pytest.raises(Gone):
        await publish(connector, saying("Hello Ana", reply_to=ref_to(message)))
    with pytest.raises(Gone):
        await connector.hide(ref_to(message))


async def test_an_endless_comment_is_refused(connector: Connector, post: Published) -> None:
    limit = connector.can.comment
    assert limit is not None
    with pytest.raises(Refused, match="too many characters"):
        await publish(connector, saying("x" * (limit.longest + 1), reply_to=Ref(remote_id=post.remote_id)))


# Numbers


async def test_numbers_now_and_those_that_come_days_later(
    youtube: YouTube, connector: Connector, post: Published
) -> None:
    for person in ("Ana", "Ben", "Cleo", "Dan", "Eve", "Fay", "Gus"):
        youtube.like(by=person, post_id=post.remote_id)
    youtube.say(by="Ana", text="Lovely", to=post.remote_id)
    youtube.share(by="Ana", post_id=post.remote_id)
    ref = Ref(remote_id=post.remote_id, extra=post.extra)
    fresh = (await connector.post_samples([ref]))[post.remote_id]
    assert (fresh["likes"], fresh["replies"], fresh["views"], fresh["watch_minutes"]) == (7, 1, 69, None)
    youtube.world.clock.advance(timedelta(days=3))
    later = (await _anew(connector, youtube).post_samples([ref]))[post.remote_id]
    assert (later["watch_minutes"], later["average_view_seconds"], later["shares"]) == (10, 9, 1)


def _anew(connector: Connector, youtube: YouTube) -> Connector:
    """With a token that is still good."""
    wire = connector._wire
    return Connector(wire.http, type(wire.login)(
        server=wire.login.server,
        remote_id=wire.login.remote_id,
        credentials=youtube.ready_account()["credentials"],
        app=wire.login.app,
        limits=wire.login.limits,
    ))  # fmt: skip


async def test_many_posts_are_asked_for_together_and_those_that_are_gone_left_out(
    youtube: YouTube, connector: Connector
) -> None:
    films = [youtube.film(youtube.channel("regie"), f"Number {number}").id for number in range(60)]
    found = await connector.post_samples([Ref(remote_id=one) for one in (*films, "gone-for-ever")])
    assert set(found) == set(films)


async def test_the_newest_full_day_of_a_channel(youtube: YouTube, connector: Connector, post: Published) -> None:
    youtube.follow(by="Ana", account=youtube.channel("regie").id)
    for number in range(10):
        youtube.like(by=f"Person {number}", post_id=post.remote_id)
    samples = await connector.account_samples()
    assert (samples["followers"], samples["posts"]) == (1, 1)
    assert samples["views_day"] == 0  # of the day before yesterday: yesterday is not told yet
    youtube.world.clock.advance(timedelta(days=2))
    told = await _anew(connector, youtube).account_samples()
    assert (told["views_day"], told["watch_minutes_day"], told["followers_gained_day"]) == (90, 13, 1)


async def test_without_reports_there_are_still_counts(youtube: YouTube, connector: Connector, post: Published) -> None:
    for token in youtube.state.tokens.values():
        token.scopes.remove("yt-analytics.readonly")
    found = (await connector.post_samples([Ref(remote_id=post.remote_id)]))[post.remote_id]
    assert (found["likes"], found["shares"]) == (0, None)
    assert (await connector.account_samples())["views_day"] is None


async def test_a_token_that_ran_out_is_to_be_traded(youtube: YouTube, connector: Connector, post: Published) -> None:
    youtube.expire_tokens()
    with pytest.raises(TokenExpired):
        await connector.messages(cursor="")


async def test_trouble_at_googles_passes_by_itself(youtube: YouTube, connector: Connector, post: Published) -> None:
    youtube.faults.will_answer(503)
    with pytest.raises(TryLater):
        await connector.messages(cursor="")

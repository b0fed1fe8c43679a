"""What people say to a Page, and what we do with it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from regie.networks.capabilities import Answering, Format, MessageKind
from regie.networks.data import Incoming, Ref
from regie.networks.errors import Refused
from regie.networks.facebook.connector import Facebook as Connector
from regie.networks.facebook.sign_in import MISSING
from regie_sandbox.facebook.app import Facebook

from .posting import NOW, publish, ref_to, saying


def to(message: Incoming) -> Ref:
    return Ref(remote_id=message.remote_id, root_id=message.conversation_id, extra=message.extra)


async def heard(page: Connector, cursor: str = "") -> list[Incoming]:
    return list((await page.messages(cursor=cursor)).messages)


async def test_comments_answers_mentions_and_messages_arrive_oldest_first_and_once(
    facebook: Facebook, page: Connector
) -> None:
    post = await publish(page, saying("Open today"))
    said: list[Any] = []
    for nth, kind in enumerate(("reply", "reply", "mention", "direct")):
        facebook.world.clock.set(NOW + timedelta(minutes=nth))
        where = (said[0] if nth == 1 else post.remote_id) if kind == "reply" else None
        said.append(facebook.say(by=f"ana {nth}", text=f"Text {nth}", to=where, kind=kind))
    first = await page.messages(cursor="")
    assert [one.remote_id for one in first.messages] == said
    kinds = [one.kind for one in first.messages]
    assert kinds == [MessageKind.COMMENT, MessageKind.COMMENT, MessageKind.MENTION, MessageKind.DIRECT]
    assert [one.reply_to_id for one in first.messages[:2]] == [post.remote_id, said[0]]
    assert {one.post_id for one in first.messages[:2]} == {post.remote_id}
    assert first.messages[3].answer_until == first.messages[3].said_at + timedelta(hours=24)
    assert await heard(page, first.cursor) == []


async def test_what_is_said_in_the_same_second_or_told_late_is_not_missed(facebook: Facebook, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    facebook.say(by="ana", text="One", to=post.remote_id)
    cursor = (await page.messages(cursor="")).cursor
    facebook.say(by="bea", text="Two", to=post.remote_id)  # the same second
    late = facebook.say(by="cem", text="Three", to=post.remote_id)
    facebook.state.comments[late].made_at = NOW - timedelta(minutes=2)
    page_two = await page.messages(cursor=cursor)
    assert [one.text for one in page_two.messages] == ["Three", "Two"]
    assert await heard(page, page_two.cursor) == []


async def test_under_a_post_with_many_comments_the_new_ones_arrive(facebook: Facebook, page: Connector) -> None:
    """A page holds fifty: one new comment is on the first, of many at once the others are on the next ones."""
    post = await publish(page, saying("Open today"))
    for nth in range(60):
        facebook.world.clock.advance(timedelta(minutes=10))
        facebook.say(by="ana", text=f"Old {nth}", to=post.remote_id)
    first = await page.messages(cursor="")
    assert [one.text for one in first.messages] == [f"Old {nth}" for nth in range(10, 60)]
    facebook.world.clock.advance(timedelta(hours=1))
    facebook.say(by="bea", text="Until when?", to=post.remote_id)
    second = await page.messages(cursor=first.cursor)
    assert [one.text for one in second.messages] == ["Until when?"]
    facebook.world.clock.advance(timedelta(hours=1))
    for nth in range(120):
        facebook.say(by="cem", text=f"New {nth}", to=post.remote_id)
    third = await page.messages(cursor=second.cursor)
    assert {one.text for one in third.messages} == {f"New {nth}" for nth in range(120)}
    assert await heard(page, third.cursor) == []


@pytest.mark.parametrize("among", [True, False])
async def test_what_is_said_under_a_video_belongs_to_our_video(
    facebook: Facebook, page: Connector, video: Any, among: bool
) -> None:
    """A Reel's post is read whether the Page's posts hold it or not."""
    facebook.reels_among_posts = among
    for form in (Format.POST, Format.SHORT):
        ours = await publish(page, saying("Walk with us", videos=(video(),), format=form))
        cursor = (await page.messages(cursor="")).cursor
        said = facebook.say(by="ana", text="Lovely", to=ours.remote_id)
        (message,) = await heard(page, cursor)
        assert (message.remote_id, message.post_id) == (said, ours.remote_id)
        assert message.conversation_id == facebook.state.videos[ours.remote_id].post
        facebook.world.clock.advance(timedelta(hours=1))


async def test_what_is_said_under_an_advertisement_arrives_once(facebook: Facebook, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    shown = facebook.advertise("Only for you")
    facebook.known_as(None).ads.append(post.remote_id)  # one that everybody sees is advertised too
    for where in (post.remote_id, shown):
        facebook.say(by="ana", text="How much?", to=where)
    first = await page.messages(cursor="")
    assert {(one.text, one.post_id) for one in first.messages} == {
        ("How much?", post.remote_id),
        ("How much?", shown),
    }
    assert len(first.messages) == 2
    assert await heard(page, first.cursor) == []
    answer = await publish(page, saying("Nothing", reply_to=to(first.messages[0])))
    assert facebook.state.comments[answer.remote_id].parent == first.messages[0].remote_id


async def test_without_the_permission_for_advertisements_the_rest_arrives(facebook: Facebook, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    facebook.say(by="ana", text="Lovely", to=post.remote_id)
    body = {"error": {"message": "Missing", "type": "OAuthException", "code": 10, "fbtrace_id": "A"}}
    facebook.faults.will_answer(403, path="ads_posts", body=body)
    assert [one.text for one in await heard(page)] == ["Lovely"]


async def test_a_delivery_about_a_video_is_completed(facebook: Facebook, page: Connector, video: Any) -> None:
    """It names the post that shows the video; the receipt that we keep is the video's."""
    ours = await publish(page, saying("Walk with us", videos=(video(),), format=Format.SHORT))
    shows = facebook.state.videos[ours.remote_id].post
    value = {"item": "comment", "verb": "add", "comment_id": "7_8", "post_id": shows, "message": "Lovely"}
    told = {"id": page._wire.login.remote_id, "time": 1, "changes": [{"field": "feed", "value": value}]}
    news = Connector.news(page._wire.login, body=json.dumps({"object": "page", "entry": [told]}).encode())
    assert [one.post_id for one in news.messages] == [shows]
    (message,) = (await page.completed(news)).messages
    assert (message.post_id, message.conversation_id) == (ours.remote_id, shows)
    facebook.state.posts.pop(shows)
    assert await page.completed(news) == news


async def test_our_own_words_do_not_come_back(facebook: Facebook, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    await publish(page, saying("First!", reply_to=ref_to(post)))
    assert await heard(page) == []


async def test_a_comment_is_answered_liked_and_hidden(facebook: Facebook, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    facebook.say(by="ana", text="Until when?", to=post.remote_id)
    (message,) = await heard(page)
    answer = await publish(page, saying("Until six", reply_to=to(message)))
    made = facebook.state.comments[answer.remote_id]
    assert (made.parent, made.under) == (message.remote_id, post.remote_id)
    liked = await page.like(to(message))
    comment = facebook.state.comments[message.remote_id]
    assert len(comment.likes) == 1
    await page.unlike(to(message), liked)
    assert comment.likes == set()
    await page.hide(to(message))
    assert comment.hidden
    await page.delete(to(message))
    assert message.remote_id not in facebook.state.comments


@pytest.mark.parametrize("code", [10, 200])
async def test_without_the_permission_to_answer_the_page_stays_connected(
    facebook: Facebook, page: Connector, code: int
) -> None:
    """A comment or a message that is refused says why, and posts still go out."""
    post = await publish(page, saying("Open today"))
    facebook.say(by="ana", text="Until when?", to=post.remote_id)
    facebook.say(by="ana", text="Hello", kind="direct")
    body = {"error": {"message": "Missing", "type": "OAuthException", "code": code, "fbtrace_id": "A"}}
    for message, where in zip(await heard(page), ("comments", "messages"), strict=True):
        facebook.faults.will_answer(403, path=where, body=body, method="POST")
        with pytest.raises(Refused, match="a permission is missing: Missing"):
            await publish(page, saying("Until six", reply_to=to(message)))
    ours = await publish(page, saying("#linen", reply_to=ref_to(post)))
    facebook.faults.will_answer(403, path=ours.remote_id, body=body, method="POST")
    with pytest.raises(Refused, match="a permission is missing: Missing"):
        await page.edit(ref_to(ours), saying("#wool"), {})
    assert facebook.texts() == ["Open today"]


def test_what_a_page_may_not_answer_is_not_offered() -> None:
    can = Connector.can_on({"missing": [MISSING["pages_manage_engagement"]]})
    assert not can.first_comment
    assert not can.edit_comment
    assert can.answers == {Answering.REPLY}
    assert can.unanswered == {MessageKind.COMMENT, MessageKind.MENTION}
    assert can.delete
    assert Connector.can_on({"missing": [MISSING["pages_messaging"]]}).unanswered == {MessageKind.DIRECT}
    assert Connector.can_on({"missing": []}) == Connector.can


async def test_a_message_is_answered_for_a_day(facebook: Facebook, page: Connector) -> None:
    facebook.say(by="ana", text="Hello", kind="direct")
    (message,) = await heard(page)
    answer = await publish(page, saying("Good morning", reply_to=to(message)))
    assert facebook.state.messages[answer.remote_id].text == "Good morning"
    facebook.world.clock.advance(timedelta(hours=25))
    with pytest.raises(Refused, match="time is over"):
        await publish(page, saying("Too late", reply_to=to(message)))


async def test_people_may_answer_for_seven_days_where_meta_lets_the_app(
    facebook: Facebook, page: Connector, http: aiohttp.ClientSession
) -> None:
    facebook.human_agent = True
    login = page._wire.login
    assert login.app is not None
    app = replace(login.app, extra={"human_agent": "on"})
    allowed = Connector(http, replace(login, app=app))
    facebook.say(by="ana", text="Hello", kind="direct")
    (message,) = await heard(allowed)
    assert message.answer_until == message.said_at + timedelta(days=7)
    late = {"reply_to": to(message), "planned_at": NOW + timedelta(days=6)}
    facebook.world.clock.set(NOW + timedelta(days=6))
    with pytest.raises(Refused, match="time is over"):  # an app that has not switched it on
        await publish(page, saying("Sorry for the wait", **late))
    answer = await publish(allowed, saying("Sorry for the wait", **late))
    assert facebook.state.messages[answer.remote_id].text == "Sorry for the wait"
    facebook.human_agent = False
    with pytest.raises(Refused, match="time is over"):  # Meta does not let it, whatever was switched on
        await publish(allowed, saying("Still there?", **late))
    facebook.human_agent = True
    facebook.world.clock.set(NOW + timedelta(days=8))
    with pytest.raises(Refused, match="time is over"):
        await publish(allowed, saying("Too late", **late))


async def test_without_the_permission_for_messages_comments_still_arrive(facebook: Facebook, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    facebook.say(by="ana", text="Lovely", to=post.remote_id)
    body = {"error": {"message": "Missing", "type": "OAuthException", "code": 10, "fbtrace_id": "A"}}
    facebook.faults.will_answer(403, path="conversations", body=body)
    assert [one.text for one in await heard(page)] == ["Lovely"]


@pytest.mark.parametrize("form", [Format.POST, Format.SHORT])
async def test_numbers_of_a_video_are_those_of_the_post_that_shows_it(
    facebook: Facebook, page: Connector, video: Any, form: Format
) -> None:
    ours = await publish(page, saying("Walk with us", videos=(video(),), format=form))
    shows = facebook.state.videos[ours.remote_id].post
    facebook.like(by="ana", post_id=ours.remote_id)
    facebook.say(by="ana", text="Lovely", to=ours.remote_id)
    facebook.share(by="ana", post_id=shows)
    samples = (await page.post_samples([ref_to(ours)]))[ours.remote_id]
    assert samples == {"likes": 1, "replies": 1, "shares": 1, "views": 10, "reach": 5, "clicks": 1}
    facebook.state.videos[ours.remote_id].post = ""  # Facebook names none
    samples = (await page.post_samples([ref_to(ours)]))[ours.remote_id]
    assert samples == {"likes": 1, "replies": 1, "shares": None, "views": None, "reach": None, "clicks": None}


async def test_numbers_and_none_where_nothing_is_told(facebook: Facebook, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    facebook.like(by="ana", post_id=post.remote_id)
    facebook.say(by="ana", text="Lovely", to=post.remote_id)
    facebook.share(by="ana", post_id=post.remote_id)
    samples = (await page.post_samples([ref_to(post)]))[post.remote_id]
    assert samples == {"likes": 1, "replies": 1, "shares": 1, "views": 10, "reach": 5, "clicks": 1}
    body = {"error": {"message": "(#100) no", "type": "OAuthException", "code": 100, "fbtrace_id": "A"}}
    facebook.faults.will_answer(400, path="insights", body=body)
    told = (await page.post_samples([ref_to(post)]))[post.remote_id]
    assert (told["likes"], told["views"], told["reach"]) == (1, None, None)
    assert (await page.account_samples())["interactions_day"] == 3

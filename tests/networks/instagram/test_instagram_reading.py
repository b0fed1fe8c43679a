"""What people say to an Instagram account, what we do with it, and the numbers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from regie.networks.capabilities import Format, MessageKind
from regie.networks.data import Incoming, Messages, Published, Ref
from regie.networks.errors import Refused
from regie.networks.instagram.connector import Instagram as Connector
from regie_sandbox.instagram.app import Instagram

from .posting import NOW, prepared, saying, signed_in

Make = Callable[..., Any]


async def publish(connector: Connector, what: Any) -> Published:
    published = await connector.commit(what, await prepared(connector, what))
    assert isinstance(published, Published)
    return published


def to(message: Incoming) -> Ref:
    return Ref(remote_id=message.remote_id, root_id=message.conversation_id, extra=message.extra)


async def test_comments_answers_tags_and_messages_arrive_oldest_first_and_once(
    instagram: Instagram, connector: Connector, picture: Make
) -> None:
    post = await publish(connector, saying("Open today", pictures=(picture(),)))
    said: list[Any] = []
    for nth, kind in enumerate(("reply", "reply", "mention", "direct")):
        instagram.world.clock.set(NOW + timedelta(minutes=nth))
        where = (said[0] if nth == 1 else post.remote_id) if kind == "reply" else "regie"
        said.append(instagram.say(by=f"ana{nth}", text=f"Text {nth}", to=where, kind=kind))
    first = await connector.messages(cursor="")
    assert [one.remote_id for one in first.messages] == said
    kinds = [one.kind for one in first.messages]
    assert kinds == [MessageKind.COMMENT, MessageKind.COMMENT, MessageKind.MENTION, MessageKind.DIRECT]
    assert [one.reply_to_id for one in first.messages[:2]] == [post.remote_id, said[0]]
    assert first.messages[0].by.handle == "@ana0"
    assert first.messages[3].answer_until == first.messages[3].said_at + timedelta(hours=24)
    assert (await connector.messages(cursor=first.cursor)).messages == ()


async def test_an_answer_to_an_answer_stands_beside_it(
    instagram: Instagram, connector: Connector, picture: Make
) -> None:
    post = await publish(connector, saying(pictures=(picture(),)))
    top = instagram.say(by="ana", text="Until when?", to=post.remote_id)
    instagram.say(by="bea", text="I wonder too", to=top)
    messages = (await connector.messages(cursor="")).messages
    answer = await publish(connector, saying("@bea Until six", reply_to=to(messages[1])))
    assert instagram.state.comments[answer.remote_id].parent == top
    assert len((await connector.messages(cursor="")).messages) == 2  # our own words do not come back


async def test_a_mention_and_a_message_are_answered(instagram: Instagram, connector: Connector) -> None:
    instagram.say(by="ana", text="Look at", to="regie", kind="mention")
    instagram.say(by="bea", text="Hello", to="regie", kind="direct")
    mention, direct = (await connector.messages(cursor="")).messages
    said = await publish(connector, saying("Thank you", reply_to=to(mention)))
    assert instagram.state.comments[said.remote_id].media == mention.remote_id
    sent = await publish(connector, saying("Good morning", reply_to=to(direct)))
    assert instagram.state.messages[sent.remote_id].text == "Good morning"
    instagram.world.clock.advance(timedelta(hours=25))
    with pytest.raises(Refused, match="time is over"):
        await publish(connector, saying("Too late", reply_to=to(direct)))


async def test_people_may_answer_for_seven_days_where_meta_lets_the_app(
    instagram: Instagram, connector: Connector, http: aiohttp.ClientSession
) -> None:
    instagram.human_agent = True
    login = connector._wire.login
    assert login.app is not None
    allowed = Connector(http, replace(login, app=replace(login.app, extra={"human_agent": "on"})))
    instagram.say(by="ana", text="Hello", to="regie", kind="direct")
    (message,) = (await allowed.messages(cursor="")).messages
    assert message.answer_until == message.said_at + timedelta(days=7)
    instagram.world.clock.set(NOW + timedelta(days=6))
    late = {"reply_to": to(message), "planned_at": NOW + timedelta(days=6)}
    with pytest.raises(Refused, match="time is over"):
        await publish(connector, saying("Sorry for the wait", **late))
    answer = await publish(allowed, saying("Sorry for the wait", **late))
    assert instagram.state.messages[answer.remote_id].text == "Sorry for the wait"


async def test_an_answer_to_a_story_belongs_to_the_story_and_is_answered(
    instagram: Instagram, connector: Connector, picture: Make
) -> None:
    story = await publish(connector, saying("", pictures=(picture(),), format=Format.STORY))
    instagram.say(by="ana", text="Where is that?", to=story.remote_id, kind="direct")
    instagram.say(by="ana", text="Hello", to="regie", kind="direct")
    about, plain = sorted((await connector.messages(cursor="")).messages, key=lambda one: one.text, reverse=True)
    assert (about.text, about.kind, about.post_id) == ("Where is that?", MessageKind.DIRECT, story.remote_id)
    assert (plain.text, plain.post_id) == ("Hello", "")
    assert about.conversation_id != plain.conversation_id
    sent = await publish(connector, saying("In Lyon", reply_to=to(about)))
    assert instagram.state.messages[sent.remote_id].text == "In Lyon"
    told = (await connector.post_samples([Ref(remote_id=story.remote_id)]))[story.remote_id]
    assert told["replies"] == 1


async def test_a_story_that_names_us_is_a_mention(instagram: Instagram, connector: Connector) -> None:
    instagram.say(by="ana", text="", to="regie", kind="story")
    (message,) = (await connector.messages(cursor="")).messages
    assert (message.kind, message.by.handle, message.text) == (MessageKind.MENTION, "@ana", "")
    assert message.url.startswith(f"{instagram.base}/_story/")
    sent = await publish(connector, saying("Thank you", reply_to=to(message)))
    assert instagram.state.messages[sent.remote_id].text == "Thank you"


async def test_a_login_that_tells_no_stories_still_tells_messages(instagram: Instagram, ours: Connector) -> None:
    instagram.say(by="ana", text="Hello", to="regie", kind="direct")
    body = {"error": {"message": "(#100) no", "type": "OAuthException", "code": 100, "fbtrace_id": "A"}}
    instagram.faults.will_answer(400, path="conversations", body=body)
    assert [one.text for one in (await ours.messages(cursor="")).messages] == ["Hello"]


def delivered(connector: Connector, **about: Any) -> Messages:
    entry = {"id": connector._wire.user, "time": 1, **about}
    return Connector.news(connector._wire.login, body=json.dumps({"object": "instagram", "entry": [entry]}).encode())


async def test_a_mention_in_a_comment_or_a_caption_is_asked_for_and_answered(
    instagram: Instagram, http: aiohttp.ClientSession
) -> None:
    connector = await signed_in(http, instagram, "facebook")
    theirs = instagram.say(by="ana", text="Our day")
    comment = instagram.say(by="bea", text="Like @regie does", to=theirs)
    caption = instagram.say(by="cem", text="With", to="regie", kind="mention")
    for said, value, text, who in (
        (comment, {"media_id": theirs, "comment_id": comment}, "Like @regie does", "@bea"),
        (caption, {"media_id": caption}, "With @regie", "@cem"),
    ):
        news = delivered(connector, changes=[{"field": "mentions", "value": value}])
        (message,) = (await connector.completed(news)).messages
        assert (message.remote_id, message.kind, message.text) == (said, MessageKind.MENTION, text)
        assert (message.by.handle, message.said_at) == (who, NOW)
        answer = await publish(connector, saying("Thank you", reply_to=to(message)))
        made = instagram.state.comments[answer.remote_id]
        assert (made.media, made.parent) == (value["media_id"], value.get("comment_id", ""))


async def test_a_mention_that_cannot_be_asked_for_is_left_out(
    instagram: Instagram, ours: Connector, http: aiohttp.ClientSession
) -> None:
    """Instagram's own login has no such question; what is gone has no words."""
    gone = [{"field": "mentions", "value": {"media_id": "1", "comment_id": "2"}}]
    assert delivered(ours, changes=gone).messages == ()
    connector = await signed_in(http, instagram, "facebook")
    news = delivered(connector, changes=gone)
    assert len(news.messages) == 1
    assert (await connector.completed(news)).messages == ()


async def test_deliveries_tell_the_story_that_a_message_is_about(connector: Connector) -> None:
    about: list[dict[str, Any]] = [
        {"mid": "m1", "reply_to": {"story": {"id": "5", "url": "https://cdn/5"}}, "text": "Where?"},
        {"mid": "m2", "attachments": [{"type": "story_mention", "payload": {"url": "https://cdn/6"}}]},
    ]
    spoken = [{"sender": {"id": "9"}, "timestamp": 1, "message": one} for one in about]
    answer, mention = delivered(connector, messaging=spoken).messages
    assert (answer.kind, answer.post_id, answer.conversation_id) == (MessageKind.DIRECT, "5", "direct:9:5")
    assert (mention.kind, mention.url, mention.text) == (MessageKind.MENTION, "https://cdn/6", "")
    assert (await connector.completed(delivered(connector, messaging=spoken))).messages == (answer, mention)


async def test_a_comment_is_taken_away_by_either_login(
    instagram: Instagram, connector: Connector, picture: Make
) -> None:
    post = await publish(connector, saying(pictures=(picture(),)))
    instagram.say(by="ana", text="Spam", to=post.remote_id)
    (message,) = (await connector.messages(cursor="")).messages
    await connector.delete(to(message))
    assert instagram.state.comments == {}


async def test_numbers_of_posts_reels_and_stories(
    instagram: Instagram, connector: Connector, picture: Make, video: Make
) -> None:
    post = await publish(connector, saying(pictures=(picture(),)))
    story = await publish(connector, saying("", pictures=(picture(),), format=Format.STORY))
    instagram.like(by="ana", post_id=post.remote_id)
    instagram.say(by="ana", text="Lovely", to=post.remote_id)
    refs = [Ref(remote_id=one) for one in (post.remote_id, story.remote_id, "1")]
    samples = await connector.post_samples(refs)
    assert samples[post.remote_id] == {
        "likes": 1, "replies": 1, "shares": 0, "saves": 0, "views": 8, "reach": 4, "interactions": 2,
        "profile_clicks": 2, "followers_gained": 0, "average_view_seconds": None, "watch_minutes": None,
    }  # fmt: skip
    assert (samples[story.remote_id]["saves"], samples[story.remote_id]["views"]) == (None, 0)
    assert samples[story.remote_id]["replies"] == 0
    reel = await publish(connector, saying(videos=(video(),), format=Format.SHORT))
    instagram.like(by="ana", post_id=reel.remote_id)
    told = (await connector.post_samples([Ref(remote_id=reel.remote_id)]))[reel.remote_id]
    assert (told["average_view_seconds"], told["watch_minutes"], told["profile_clicks"]) == (4, 1, None)
    assert set(samples) == {post.remote_id, story.remote_id}  # what is gone is left out
    assert (await connector.account_samples())["engaged_day"] == 3


async def test_without_permission_for_numbers_they_are_none_and_not_zero(
    instagram: Instagram, ours: Connector, picture: Make
) -> None:
    post = await publish(ours, saying(pictures=(picture(),)))
    for token in instagram.state.tokens.values():
        token.scopes = [scope for scope in token.scopes if "insights" not in scope]
    samples = (await ours.post_samples([Ref(remote_id=post.remote_id)]))[post.remote_id]
    assert (samples["likes"], samples["views"], samples["reach"]) == (0, None, None)
    account = await ours.account_samples()
    assert (account["posts"], account["views_day"]) == (1, None)


async def test_a_token_is_traded_after_a_day_and_before_its_end(instagram: Instagram, ours: Connector) -> None:
    with pytest.raises(Refused):
        await ours.refresh()
    instagram.world.clock.advance(timedelta(days=30))
    fresh = await ours.refresh()
    assert fresh.credentials["access_token"] in instagram.state.tokens
    assert fresh.expires_at is not None

"""What people say to a Page, what we do with it, and the numbers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from regie.networks.capabilities import MessageKind
from regie.networks.data import Incoming, Ref
from regie.networks.errors import Gone, Refused, SignInAgain, TryLater
from regie.networks.linkedin.connector import LinkedIn as Connector

from .linkedin_contract import Recorded
from .posting import NOW, publish, ref_to, saying, to


async def heard(page: Connector, cursor: str = "") -> list[Incoming]:
    return list((await page.messages(cursor=cursor)).messages)


async def test_comments_answers_and_mentions_arrive_oldest_first_and_once(linkedin: Recorded, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    said: list[Any] = []
    for nth, kind in enumerate(("reply", "reply", "mention")):
        linkedin.world.clock.set(NOW + timedelta(minutes=nth))
        where = (said[0] if nth == 1 else post.remote_id) if kind == "reply" else None
        said.append(linkedin.say(by=f"Ana {nth}", text=f"Text {nth}", to=where, kind=kind))
    first = await page.messages(cursor="")
    assert [one.remote_id for one in first.messages] == said
    kinds = [MessageKind.COMMENT, MessageKind.COMMENT, MessageKind.MENTION]
    assert [one.kind for one in first.messages] == kinds
    assert [one.reply_to_id for one in first.messages[:2]] == [post.remote_id, said[0]]
    assert {one.post_id for one in first.messages[:2]} == {post.remote_id}
    assert [one.by.name for one in first.messages] == ["Ana 0", "Ana 1", "Ana 2"]
    assert [one.said_at for one in first.messages] == [NOW + timedelta(minutes=nth) for nth in range(3)]
    assert first.messages[2].text == "Text 2 @regie"
    assert await heard(page, first.cursor) == []


async def test_what_is_told_late_is_not_missed_and_comes_once(linkedin: Recorded, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    linkedin.say(by="Ana", text="One", to=post.remote_id)
    cursor = (await page.messages(cursor="")).cursor
    linkedin.say(by="Bea", text="Two", to=post.remote_id)  # the same moment
    linkedin.say(by="Cem", text="Three", to=post.remote_id)
    linkedin.state.notifications[-1].at = NOW - timedelta(minutes=2)
    again = await page.messages(cursor=cursor)
    assert {one.text for one in again.messages} == {"Two", "Three"}
    assert await heard(page, again.cursor) == []


async def test_many_comments_are_read_page_by_page(linkedin: Recorded, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    linkedin.say(by="Ana", text="First", to=post.remote_id)
    cursor = (await page.messages(cursor="")).cursor
    for nth in range(70):
        linkedin.world.clock.set(NOW + timedelta(minutes=10 + nth))
        linkedin.say(by="Ana", text=f"Text {nth}", to=post.remote_id)
    assert [one.text for one in await heard(page, cursor)] == [f"Text {nth}" for nth in range(70)]


async def test_a_notification_that_we_cannot_read_hides_no_other(linkedin: Recorded, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    for text in ("One", "Two"):
        linkedin.say(by="Ana", text=text, to=post.remote_id)

    def odd(value: Any) -> Any:
        rows = value.get("elements", []) if isinstance(value, dict) else []
        if rows and "notificationId" in rows[0]:
            del rows[0]["lastModifiedAt"]
        return value

    linkedin.faults.alter = odd
    assert [one.text for one in await heard(page)] == ["One"]


async def test_what_was_taken_back_is_gone(linkedin: Recorded, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    comment = linkedin.say(by="Ana", text="Oops", to=post.remote_id)
    cursor = (await page.messages(cursor="")).cursor
    linkedin.deeds.take_back(linkedin.state.comments[comment])
    told = await page.messages(cursor=cursor)
    assert (told.messages, told.gone) == ((), (comment,))
    assert (await page.messages(cursor="")).messages == ()  # as if it had never been there


async def test_our_own_words_do_not_come_back(linkedin: Recorded, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    await publish(page, saying("First!", reply_to=ref_to(post)))
    linkedin.like(by="Ana", post_id=post.remote_id)
    assert await heard(page) == []


async def test_somebody_whom_linkedin_shows_to_nobody_has_no_name(linkedin: Recorded, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    linkedin.say(by="Ana", text="Hello", to=post.remote_id)
    linkedin.faults.will_answer(403, path="/rest/people/")
    (message,) = await heard(page)
    assert (message.by.name, message.by.handle) == ("LinkedIn member", "")
    assert message.by.remote_id.startswith("urn:li:person:")


async def test_when_asking_is_slowed_down_publishing_is_not_held_back(linkedin: Recorded, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    linkedin.say(by="Ana", text="Hello", to=post.remote_id)
    questions: dict[str, Callable[[], Awaitable[Any]]] = {
        "/rest/organizationalEntityNotifications": lambda: page.messages(cursor=""),
        "/comments/": lambda: page.messages(cursor=""),
        "/rest/organizationalEntityShareStatistics": lambda: page.post_samples([ref_to(post)]),
        "/rest/networkSizes": page.account_samples,
    }
    for path, ask in questions.items():
        linkedin.faults.will_answer(429, path=path)
        with pytest.raises(TryLater) as told:
            await ask()
        assert told.value.not_before is None


async def test_a_member_has_no_messages_and_nobody_is_asked(linkedin: Recorded, member: Connector) -> None:
    asked = len(linkedin.seen)
    assert (await member.messages(cursor="")).messages == ()
    assert len(linkedin.seen) == asked


async def test_without_the_permission_for_comments_the_notification_tells_them(
    linkedin: Recorded, page: Connector
) -> None:
    post = await publish(page, saying("Open today"))
    comment = linkedin.say(by="Ana", text="Until when?", to=post.remote_id)
    linkedin.faults.will_answer(403, path="/comments/")
    (told,) = await heard(page)
    assert (told.remote_id, told.text, told.by.name) == (comment, "Until when?", "Ana")


# Answering


async def test_an_answer_to_an_answer_goes_under_the_first(linkedin: Recorded, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    first = linkedin.say(by="Ana", text="Until when?", to=post.remote_id)
    linkedin.say(by="Bea", text="I wonder too", to=first)
    _, second = await heard(page)
    answer = await publish(page, saying("Until six", reply_to=to(second)))
    made = linkedin.state.comments[answer.remote_id]
    assert (made.parent, made.actor, made.text) == (first, "urn:li:organization:90000000", "Until six")
    assert answer.url.startswith(f"{linkedin.base}/feed/update/urn:li:share:")


async def test_a_first_comment_of_ours_is_changed_liked_and_taken_away(linkedin: Recorded, page: Connector) -> None:
    post = await publish(page, saying("Open today"))
    comment = await publish(page, saying("The menu: (below)", reply_to=ref_to(post)))
    await page.edit(ref_to(comment), saying("The menu: [above]"), {})
    assert linkedin.state.comments[comment.remote_id].text == "The menu: [above]"
    for _ in range(2):
        await page.like(ref_to(comment))
    assert linkedin.state.comments[comment.remote_id].likes == {"urn:li:organization:90000000"}
    for _ in range(2):
        await page.unlike(ref_to(comment), {})
    for _ in range(2):
        await page.delete(ref_to(comment))
    assert linkedin.state.comments == {}


async def test_a_mention_is_answered_below_the_post_that_names_us(linkedin: Recorded, page: Connector) -> None:
    theirs = linkedin.say(by="Ana", text="Lovely place", kind="mention")
    (mention,) = await heard(page)
    answer = await publish(page, saying("Thank you", reply_to=to(mention)))
    assert linkedin.state.comments[answer.remote_id].post == theirs


async def test_an_answer_to_what_is_gone_says_so(linkedin: Recorded, page: Connector) -> None:
    with pytest.raises(Gone):
        await publish(page, saying("Hello?", reply_to=Ref(remote_id="urn:li:share:12")))


async def test_a_member_has_a_first_comment_only_through_the_app_that_may(
    linkedin: Recorded, member: Connector, creator: Connector
) -> None:
    sharing, managing = ({"kind": "profile", "scopes": scopes} for scopes in (["w_member_social"], []))
    assert not Connector.can_on(sharing).first_comment
    assert Connector.can_on(managing).first_comment
    post = await publish(creator, saying("Mine"))
    assert (await publish(creator, saying("First", reply_to=ref_to(post)))).remote_id in linkedin.state.comments
    with pytest.raises(SignInAgain, match="permission"):
        await publish(member, saying("Second", reply_to=ref_to(post)))


# Numbers


async def test_numbers_of_posts_are_asked_for_together(linkedin: Recorded, page: Connector) -> None:
    posts = [await publish(page, saying(f"Post {nth}")) for nth in range(21)]
    for name in ("Ana", "Bea"):
        linkedin.like(by=name, post_id=posts[0].remote_id)
    linkedin.say(by="Ana", text="Yes", to=posts[0].remote_id)
    linkedin.share(by="Ana", post_id=posts[0].remote_id)
    asked = len(linkedin.seen)
    told = await page.post_samples([ref_to(one) for one in (*posts, posts[0])])
    assert len(linkedin.seen) == asked + 2
    assert told[posts[0].remote_id] == {
        "likes": 2,
        "replies": 1,
        "shares": 1,
        "views": 18,
        "reach": 9,
        "clicks": 3,
    }
    assert set(told[posts[20].remote_id].values()) == {0}


async def test_a_post_without_numbers_has_none_and_not_zero(linkedin: Recorded, page: Connector) -> None:
    told = await page.post_samples([Ref(remote_id="urn:li:share:1"), Ref(remote_id="urn:li:comment:(x,1)")])
    assert {one for row in told.values() for one in row.values()} == {None}
    assert len(told) == 2


async def test_a_page_counts_its_last_full_day(linkedin: Recorded, page: Connector) -> None:
    linkedin.follow(by="Ana", account="regie")
    linkedin.world.clock.set(NOW - timedelta(days=1))
    post = await publish(page, saying("Yesterday"))
    linkedin.like(by="Ana", post_id=post.remote_id)
    linkedin.world.clock.set(NOW)
    linkedin.like(by="Bea", post_id=(await publish(page, saying("Today"))).remote_id)
    assert await page.account_samples() == {
        "followers": 1,
        "views_day": 8,
        "reach_day": 4,
        "interactions_day": 2,
    }


async def test_without_the_permission_for_days_there_are_followers_still(linkedin: Recorded, page: Connector) -> None:
    linkedin.faults.will_answer(403, path="/rest/organizationalEntityShareStatistics")
    told = await page.account_samples()
    assert (told["followers"], told["views_day"]) == (0, None)


async def test_a_member_has_numbers_through_the_app_that_may_ask(
    linkedin: Recorded, creator: Connector, member: Connector
) -> None:
    post = await publish(creator, saying("Mine"))
    linkedin.like(by="Ana", post_id=post.remote_id)
    gone = Ref(remote_id="urn:li:ugcPost:1")
    assert await creator.post_samples([ref_to(post), gone]) == {
        post.remote_id: {"likes": 1, "replies": 0, "shares": 0, "views": 8, "reach": 4}
    }
    assert await creator.account_samples() == {"followers": 0}
    asked = len(linkedin.seen)
    assert await member.post_samples([ref_to(post)]) == {post.remote_id: {}}
    assert await member.account_samples() == {}
    assert len(linkedin.seen) == asked


async def test_no_permission_to_read_is_said(linkedin: Recorded, page: Connector) -> None:
    linkedin.faults.will_answer(403, path="/rest/organizationalEntityNotifications")
    with pytest.raises(Refused, match="permission"):
        await page.messages(cursor="")

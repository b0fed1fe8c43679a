"""Messages arrive once each, beside the post they answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from regie.community import arriving, reading
from regie.community.models import Conversation, Inbox, Message
from regie.core.threads import in_thread
from regie.measure.models import Sample
from regie.networks.data import Messages

if TYPE_CHECKING:
    from regie.accounts.models import Account
    from regie.publishing.models import Delivery
    from tests.conftest import Clock, Sandbox

Read = Callable[[], int]
Publish = Callable[..., "Delivery"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("network", ["mastodon", "bluesky", "telegram"])
def test_a_reply_arrives_once_beside_the_post_it_answers(
    network: str, clock: Clock, request: pytest.FixtureRequest, published: Publish, read: Read
) -> None:
    sandbox: Sandbox = request.getfixturevalue(network)
    account: Account = request.getfixturevalue(f"{network}_account")
    delivery = published("Open today", account)
    read()
    sandbox.say(by="ana", text="Until when? 👗", to=delivery.remote_id)
    assert read() == 1
    assert read() == 0
    message = Message.objects.get()
    assert message.conversation.delivery == delivery
    assert "Until when? 👗" in message.text
    assert (message.state, message.ours, message.workspace) == ("open", False, account.workspace)


def test_reading_again_from_the_start_changes_nothing(
    clock: Clock, bluesky: Sandbox, bluesky_account: Account, published: Publish, read: Read
) -> None:
    delivery = published("Open today", bluesky_account)
    bluesky.say(by="ana", text="Until when?", to=delivery.remote_id)
    assert read() == 1
    Message.objects.update(state="done")
    Inbox.objects.update(cursor="")
    assert read() == 0
    assert [message.state for message in Message.objects.all()] == ["done"]


def test_two_workers_that_read_at_once_store_a_message_once(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, published: Publish, read: Read
) -> None:
    delivery = published("Open today", mastodon_account)
    for number in range(30):
        mastodon.say(by="ana", text=f"Question {number}", to=delivery.remote_id)
    inbox = Inbox.objects.get()

    async def both() -> list[int]:
        return list(await asyncio.gather(*(reading.read(inbox.pk) for _ in range(2))))

    arrived = asyncio.run(both())
    assert sum(arrived) == Message.objects.count() == 30
    assert sorted(arrived) == [0, 30]  # the lease lets one of them read


def test_a_page_stored_by_two_at_the_same_moment_is_there_once(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, published: Publish
) -> None:
    delivery = published("Open today", mastodon_account)
    for number in range(30):
        mastodon.say(by="ana", text=f"Question {number}", to=delivery.remote_id)
    page = asyncio.run(_page_of(Inbox.objects.get()))

    async def both() -> None:
        inboxes = [await in_thread(Inbox.objects.get) for _ in range(2)]
        await asyncio.gather(*(in_thread(arriving.store, inbox, page) for inbox in inboxes))

    asyncio.run(both())
    assert Message.objects.count() == 30
    assert Conversation.objects.count() == 1
    assert Inbox.objects.get().cursor == page.cursor


async def _page_of(inbox: Inbox) -> Messages:
    from regie.accounts.opening import session

    async with session() as http:
        found = await in_thread(reading.speaker, inbox, http)
        assert found is not None
        page: Messages = await found[1].messages(cursor="")  # type: ignore[attr-defined]
        return page


def test_two_channels_of_one_bot_share_a_queue_and_each_hears_its_own(
    clock: Clock, telegram: Sandbox, connect: Callable[..., Account], published: Publish, read: Read
) -> None:
    token = telegram.network.ready_account("regie")["credentials"]["token"]
    telegram.network.add_channel(token, "second")  # type: ignore[attr-defined]
    telegram.network.state.ready["second"] = token
    first, second = connect(telegram, "regie"), connect(telegram, "second")
    assert first.inbox_account.inbox == second.inbox_account.inbox
    posts = [published("One", first), published("Two", second)]
    read()
    for post in posts:
        telegram.say(by="ana", text=f"About {post.variant.post}", to=post.remote_id)
    assert read() == 2
    assert {(m.account, m.text) for m in Message.objects.all()} == {(first, "About One"), (second, "About Two")}
    type(second).objects.filter(pk=second.pk).update(state="paused")
    telegram.say(by="ana", text="While it pauses", to=posts[1].remote_id)
    assert read() == 1  # the queue tells it once: it is kept for when the account is resumed


def test_reactions_that_telegram_tells_become_samples_of_our_posts(
    clock: Clock, telegram: Sandbox, telegram_account: Account, published: Publish, read: Read
) -> None:
    delivery = published("Open today", telegram_account)
    read()
    telegram.like(by="ana", post_id=delivery.remote_id)
    telegram.like(by="bo", post_id=delivery.remote_id)
    clock.advance(minutes=5)
    read()
    assert list(Sample.objects.filter(delivery=delivery, value=2).values_list("metric", flat=True)) == ["likes"]


def test_an_edited_message_shows_its_new_words_and_stays_done(
    clock: Clock, telegram: Sandbox, telegram_account: Account, published: Publish, read: Read
) -> None:
    delivery = published("Open today", telegram_account)
    read()
    telegram.say(by="ana", text="Until wen?", to=delivery.remote_id)
    read()
    message = Message.objects.get()
    Message.objects.update(state="done")
    page = Messages(
        messages=(_as_said(message, "Until when?"),),
        cursor="",
    )
    arriving.store(Inbox.objects.get(), page, cursor=False)
    message.refresh_from_db()
    assert (message.text, message.state) == ("Until when?", "done")


def _as_said(message: Message, text: str):  # type: ignore[no-untyped-def]
    from regie.networks.capabilities import MessageKind
    from regie.networks.data import Incoming, Person

    return Incoming(
        remote_id=message.remote_id,
        kind=MessageKind(message.kind),
        by=Person(remote_id=message.author_id, name=message.author_name, handle=message.author_handle),
        text=text,
        said_at=message.said_at,
        conversation_id=message.conversation.remote_id,
        post_id=message.conversation.post_id,
        extra=message.extra,
    )


def test_a_message_that_its_author_took_back_is_marked_gone(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, published: Publish, read: Read
) -> None:
    delivery = published("Open today", mastodon_account)
    mastodon.say(by="ana", text="Oops", to=delivery.remote_id)
    read()
    message = Message.objects.get()
    gone = Messages(messages=(), cursor="", gone=(message.remote_id,))
    arriving.store(Inbox.objects.get(), gone, cursor=False)
    message.refresh_from_db()
    assert message.gone_at == clock.moment
    assert (message.state, message.done_by, message.done_at) == ("done", None, clock.moment)

    clock.advance(hours=1)
    arriving.store(Inbox.objects.get(), gone, cursor=False)
    message.refresh_from_db()
    assert message.gone_at == message.done_at == clock.moment - timedelta(hours=1)


def test_an_answer_that_was_here_before_our_own_receipt_finds_its_post_later(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, published: Publish, read: Read
) -> None:
    from regie.publishing.models import Delivery, Step

    delivery = published("Open today", mastodon_account)
    mastodon.say(by="ana", text="Until when?", to=delivery.remote_id)
    remote_id = delivery.remote_id
    Step.objects.update(remote_id="")
    Delivery.objects.update(remote_id="not-known-yet")
    read()
    assert Conversation.objects.get().delivery is None
    Delivery.objects.update(remote_id=remote_id)
    assert arriving.link_late_posts() == 1
    assert Conversation.objects.get().delivery == delivery


def test_a_network_that_asks_to_wait_is_left_alone_until_then(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, read: Read
) -> None:
    until = clock.moment + timedelta(minutes=20)
    mastodon.will_answer(429, headers={"X-RateLimit-Reset": until.strftime("%Y-%m-%dT%H:%M:%SZ")})
    mastodon.say(by="ana", text="hello", to="regie", kind="mention")
    assert read() == 0
    assert read() == 0  # not asked: it would have answered
    assert Inbox.objects.get().next_at == until
    clock.set(until)
    assert read() == 1


def test_a_dead_token_disconnects_the_account_and_nothing_is_asked_any_more(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, read: Read
) -> None:
    mastodon.will_answer(401)
    read()
    mastodon_account.refresh_from_db()
    assert mastodon_account.state == "broken"
    clock.advance(hours=2)
    assert reading.due_inboxes() == []


def test_an_expired_token_is_traded_and_the_reading_goes_on(
    clock: Clock, bluesky: Sandbox, bluesky_account: Account, published: Publish, read: Read
) -> None:
    delivery = published("Open today", bluesky_account)
    bluesky.say(by="ana", text="Until when?", to=delivery.remote_id)
    bluesky.will_answer(400, body={"error": "ExpiredToken", "message": "Token has expired"}, path="listNotifications")
    assert read() == 1

"""Messages that a network brings: checked before they are read, kept before they are answered, once each."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from regie.community import reading, webhooks
from regie.community.models import Inbox, Intake, Message

if TYPE_CHECKING:
    from django.test import Client

    from regie.accounts.models import Account
    from regie.publishing.models import Delivery
    from tests.conftest import Clock, Sandbox

HEADER = "X-Telegram-Bot-Api-Secret-Token"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def inbox(clock: Clock, telegram_account: Account) -> Inbox:
    return Inbox.objects.get()


def update_of(telegram: Sandbox, delivery: Delivery, text: str) -> dict[str, Any]:
    """What Telegram would bring: the newest update of the bot's queue, as it is."""
    telegram.say(by="ana", text=text, to=delivery.remote_id)
    bot = next(iter(telegram.network.state.bots.values()))
    update: dict[str, Any] = bot.queue[-1]
    return update


def bring(client: Client, inbox: Inbox, update: Any, secret: str | None = None, token: str | None = None) -> int:
    body = update if isinstance(update, str) else json.dumps(update)
    given = webhooks.secret_of(inbox) if secret is None else secret
    path = f"/webhooks/telegram/{token or inbox.token}/"
    return client.post(path, body, content_type="application/json", headers={HEADER: given}).status_code


def work() -> None:
    for pk in webhooks.waiting_intakes():
        webhooks.work_on(pk)


def test_what_is_brought_arrives_once_however_often_it_comes(
    client: Client, telegram: Sandbox, telegram_account: Account, inbox: Inbox, published: Callable[..., Delivery]
) -> None:
    delivery = published("Open today", telegram_account)
    update = update_of(telegram, delivery, "Until when?")
    assert [bring(client, inbox, update) for _ in range(3)] == [200, 200, 200]
    work()
    message = Message.objects.get()
    assert (message.text, message.conversation.delivery) == ("Until when?", delivery)
    assert webhooks.waiting_intakes() == []


def test_an_old_edit_that_is_brought_again_does_not_bring_old_words_back(
    client: Client, telegram: Sandbox, telegram_account: Account, inbox: Inbox, published: Callable[..., Delivery]
) -> None:
    update = update_of(telegram, published("Open today", telegram_account), "Until wen?")
    edits = [
        {"update_id": update["update_id"] + n, "edited_message": {**update["message"], "text": text, "edit_date": n}}
        for n, text in enumerate(["Until when?", "Until what hour?"], start=1)
    ]
    for one in [update, *edits]:
        assert bring(client, inbox, one) == 200
        work()
    assert Message.objects.get().text == "Until what hour?"
    assert bring(client, inbox, edits[0]) == 200
    work()
    assert (Message.objects.get().text, Intake.objects.count()) == ("Until what hour?", 3)


def test_a_private_message_finds_its_channel_though_the_delivery_does_not_name_it(
    client: Client, telegram: Sandbox, telegram_account: Account, inbox: Inbox
) -> None:
    telegram.say(by="ana", text="Do you deliver?", to=telegram_account.remote_id, kind="direct")
    update = next(iter(telegram.network.state.bots.values())).queue[-1]
    assert bring(client, inbox, update) == 200
    telegram.will_answer(503, path="getChat")
    work()
    assert not Message.objects.exists()
    work()  # the next sweep
    message = Message.objects.get()
    assert (message.account, message.kind, message.text) == (telegram_account, "direct", "Do you deliver?")
    assert webhooks.waiting_intakes() == []


def test_what_is_not_signed_right_is_not_kept(client: Client, inbox: Inbox) -> None:
    assert bring(client, inbox, {"update_id": 1}, secret="guessed") == 403
    assert bring(client, inbox, "not json") == 403
    assert bring(client, inbox, {"update_id": 1}, token="unknown") == 404
    assert not Intake.objects.exists()


def test_an_update_of_a_kind_we_do_not_know_is_kept_and_harms_nothing(client: Client, inbox: Inbox) -> None:
    assert bring(client, inbox, {"update_id": 7, "gift_of_tomorrow": {"message": 3}}) == 200
    work()
    assert (Intake.objects.count(), Message.objects.count()) == (1, 0)


def test_a_delivery_that_is_too_big_is_turned_away(client: Client, inbox: Inbox) -> None:
    assert bring(client, inbox, {"update_id": 1, "text": "x" * webhooks.LARGEST}) == 413


def test_the_secret_is_nowhere_in_the_database(client: Client, inbox: Inbox) -> None:
    assert bring(client, inbox, {"update_id": 1}) == 200
    kept = Intake.objects.get()
    assert webhooks.secret_of(inbox) not in json.dumps(kept.headers)
    assert webhooks.secret_of(inbox) not in inbox.token


def test_the_network_is_told_our_address_on_https_only_and_reading_stops_while_it_brings(
    settings: Any, clock: Clock, telegram: Sandbox, inbox: Inbox
) -> None:
    assert webhooks.to_arrange() == []
    settings.PUBLIC_URL = "https://regie.example"
    assert webhooks.to_arrange() == [inbox.pk]
    asyncio.run(webhooks.arrange(inbox.pk))
    assert webhooks.to_arrange() == []
    clock.advance(minutes=5)
    assert reading.due_inboxes() == []
    settings.PUBLIC_URL = "http://localhost:8000"
    asyncio.run(webhooks.arrange(inbox.pk))
    assert reading.due_inboxes() == [inbox.pk]

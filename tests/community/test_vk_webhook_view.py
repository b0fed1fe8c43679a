"""VK brings news to a queue of ours: the word it asks for, the word it wants back, and its secret kept nowhere."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from regie.community import reading, webhooks
from regie.community.models import Inbox, Intake, Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from regie.accounts.models import Account
    from tests.conftest import Clock, Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def inbox(clock: Clock, vk: Sandbox, connect: Callable[..., Account]) -> Inbox:
    connect(vk)
    return Inbox.objects.get()


def bring(client: Client, inbox: Inbox, event: dict[str, Any], query: str = "") -> Any:
    body = json.dumps(event)
    return client.post(f"/webhooks/vk/{inbox.token}/{query}", body, content_type="application/json")


def event_of(vk: Sandbox, inbox: Inbox, text: str) -> dict[str, Any]:
    """What VK would bring for a message that somebody writes now."""
    group = vk.itself.known_as(None)
    group.wants = ["message_new"]
    vk.say(by="ana", text=text, to=str(group.id), kind="direct")
    return {**group.news[-1], "secret": webhooks.secret_of(inbox)}


def test_it_is_told_the_word_that_stands_in_the_address(client: Client, inbox: Inbox) -> None:
    asked = bring(client, inbox, {"type": "confirmation", "group_id": 1}, "?confirm=4f2a91bc")
    assert (asked.status_code, asked.content, asked["Content-Type"]) == (200, b"4f2a91bc", "text/plain")
    assert bring(client, inbox, {"type": "confirmation", "group_id": 1}, "?confirm=<b>").status_code == 403
    assert not Intake.objects.exists()


def test_what_is_brought_arrives_once_and_the_secret_is_nowhere(client: Client, vk: Sandbox, inbox: Inbox) -> None:
    event = event_of(vk, inbox, "Are you {secret} open?")
    answers = [bring(client, inbox, event) for _ in range(2)]
    assert [(one.status_code, one.content) for one in answers] == [(200, b"ok")] * 2
    assert webhooks.secret_of(inbox).encode() not in b"".join(bytes(one.body) for one in Intake.objects.all())
    for pk in webhooks.waiting_intakes():
        webhooks.work_on(pk)
    message = Message.objects.get()
    assert (message.kind, message.text, message.author_name) == ("direct", "Are you {secret} open?", "ana")
    assert set(Intake.objects.values_list("problem", flat=True)) == {""}


def test_what_is_not_signed_right_is_not_kept(client: Client, vk: Sandbox, inbox: Inbox) -> None:
    assert bring(client, inbox, event_of(vk, inbox, "Hello") | {"secret": "guessed"}).status_code == 403
    assert not Intake.objects.exists()


def test_a_key_that_may_not_manage_goes_on_as_before_and_vk_is_asked_again_hours_later(
    settings: Any, clock: Clock, vk: Sandbox, inbox: Inbox
) -> None:
    for key in vk.itself.state.keys.values():
        key.rights = [one for one in key.rights if one not in ("manage", "groups")]
    settings.PUBLIC_URL = "https://regie.example"
    assert webhooks.to_arrange() == [inbox.pk]
    asyncio.run(webhooks.arrange(inbox.pk))
    assert webhooks.to_arrange() == []
    inbox.refresh_from_db()
    assert (inbox.webhook, inbox.failures) == ("", 0)
    assert reading.due_inboxes() == [inbox.pk]
    clock.advance(hours=7)
    assert webhooks.to_arrange() == [inbox.pk]


def test_the_queue_is_read_besides_for_what_nobody_took(clock: Clock, vk: Sandbox, inbox: Inbox) -> None:
    Inbox.objects.update(webhook="https://regie.example/#mark")
    clock.advance(minutes=5)
    assert reading.due_inboxes() == [inbox.pk]

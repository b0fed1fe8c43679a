"""Hiding, showing again and deleting what people say under our posts: once, and by those who may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from regie.community import moderating, services
from regie.community.errors import CannotReach
from regie.community.models import Message
from regie.people.errors import NotAllowed
from regie.people.models import AuditEntry

if TYPE_CHECKING:
    from django.test import Client

    from regie.accounts.models import Account
    from regie.people.models import Member
    from regie.publishing.models import Delivery
    from tests.conftest import Clock, Sandbox

Say = Callable[..., Message]
HERE = "/w/atelier-nord"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def comment(
    clock: Clock,
    connect: Callable[..., Account],
    published: Callable[..., Delivery],
    read: Callable[[], int],
    request: pytest.FixtureRequest,
) -> Callable[[str], tuple[Sandbox, Message]]:
    """Ana's "Spam" under a post of ours on a network, and the network."""

    def said(network: str) -> tuple[Sandbox, Message]:
        sandbox: Sandbox = request.getfixturevalue(network)
        delivery = published("Open today", connect(sandbox))
        read()
        sandbox.say(by="ana", text="Spam", to=delivery.remote_id)
        assert read() == 1
        return sandbox, Message.objects.get()

    return said


Comment = Callable[[str], "tuple[Sandbox, Message]"]


def acts() -> list[str]:
    return list(AuditEntry.objects.filter(what="message").order_by("pk").values_list("did", flat=True))


def deleted(sandbox: Sandbox) -> list[str]:
    return [entry.remote_id for entry in sandbox.accepted("delete")]


@pytest.mark.parametrize("network", ["facebook", "bluesky", "threads"])
def test_a_comment_is_hidden_shown_as_such_and_shown_again(
    network: str, comment: Comment, chloe: Member, signed_in: Callable[[Member], Client]
) -> None:
    sandbox, message = comment(network)
    client = signed_in(chloe)
    for _ in range(2):  # two clicks are one
        client.post(f"{HERE}/inbox/{message.pk}/hide/")
    message.refresh_from_db()
    assert (message.hidden_by, message.state) == (chloe.user, "open")
    assert sandbox.itself.state.comments[message.remote_id].hidden
    shown = client.get(f"{HERE}/inbox/?message={message.pk}").content.decode()
    assert "by Chloé" in shown
    assert "is-hidden" in shown
    assert "Show again" in shown
    client.post(f"{HERE}/inbox/{message.pk}/unhide/")
    message.refresh_from_db()
    assert (message.hidden_at, message.hidden_by) == (None, None)
    assert not sandbox.itself.state.comments[message.remote_id].hidden
    assert acts() == ["message.hidden", "message.shown"]


def test_what_waits_for_review_arrives_hidden_and_is_approved_or_rejected(
    youtube: Sandbox,
    youtube_account: Account,
    read: Callable[[], int],
    chloe: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    net, client = youtube.itself, signed_in(chloe)
    film = net.film(net.state.channels[youtube_account.remote_id], "A walk")
    read()
    here, there, spam = (youtube.say(by="ana", text=text, to=film.id) for text in ("Lovely", "Where?", "Buy mine"))
    for one in (here, there, spam):
        net.state.comments[one].status = "heldForReview"
    assert read() == 3
    message = Message.objects.get(remote_id=here)
    shown = client.get(f"{HERE}/inbox/?message={message.pk}").content.decode()
    assert "is-hidden" in shown
    assert "Show again" in shown
    client.post(f"{HERE}/inbox/{message.pk}/unhide/")
    client.post(f"{HERE}/inbox/{Message.objects.get(remote_id=spam).pk}/delete/")
    assert [net.state.comments[one].status for one in (here, spam)] == ["published", "rejected"]
    net.state.comments[there].status = "published"  # by somebody, on the network itself
    assert read() == 0
    assert dict(Message.objects.values_list("remote_id", "state")) == {here: "open", there: "open", spam: "done"}
    assert set(Message.objects.filter(hidden_at=None).values_list("remote_id", flat=True)) == {here, there}
    assert acts() == ["message.shown", "message.deleted"]


@pytest.mark.parametrize("network", ["facebook", "linkedin", "telegram", "vk"])
def test_a_comment_is_deleted_for_good_and_needs_nobody_any_more(
    network: str, comment: Comment, chloe: Member, signed_in: Callable[[Member], Client]
) -> None:
    sandbox, message = comment(network)
    client = signed_in(chloe)
    assert f'id="delete-{message.pk}"' in client.get(f"{HERE}/inbox/?message={message.pk}").content.decode()
    for _ in range(2):
        client.post(f"{HERE}/inbox/{message.pk}/delete/")
    message.refresh_from_db()
    assert deleted(sandbox) == [message.remote_id]
    assert (message.gone_by, message.state, message.done_by) == (chloe.user, "done", chloe.user)
    assert acts() == ["message.deleted"]
    shown = client.get(f"{HERE}/inbox/?message={message.pk}").content.decode()
    assert "by Chloé" in shown
    assert f'id="delete-{message.pk}"' not in shown


def test_an_answer_of_ours_is_taken_back(
    comment: Comment, chloe: Member, send: Callable[[], None], signed_in: Callable[[Member], Client]
) -> None:
    sandbox, message = comment("facebook")
    services.answer(message=message, text="Until six", by=chloe, seen=0)
    send()
    ours = Message.objects.get(ours=True)
    client = signed_in(chloe)
    assert f'data-dialog="delete-{ours.pk}"' in client.get(f"{HERE}/inbox/?message={message.pk}").content.decode()
    back = client.post(f"{HERE}/inbox/{ours.pk}/delete/", {"message": message.pk})
    assert back["Location"].endswith(f"?message={message.pk}")
    ours.refresh_from_db()
    assert ours.gone_by == chloe.user
    assert deleted(sandbox) == [ours.remote_id]


def test_what_the_network_lacks_is_not_offered_and_what_the_account_lacks_is_said(
    clock: Clock, make_account: Callable[..., Account], say: Say, chloe: Member, signed_in: Callable[[Member], Client]
) -> None:
    client = signed_in(chloe)

    def pane(message: Message) -> str:
        return client.get(f"{HERE}/inbox/?message={message.pk}").content.decode()

    on_mastodon = say(to=make_account("mastodon", "Atelier Nord"))
    assert moderating.offered(on_mastodon) == {"like": ""}
    assert "Moderate" not in pane(on_mastodon)
    scopes = ["tweet.read", "tweet.write", "like.write"]
    on_x = say(to=make_account("x", "Atelier Nord", limits={"scopes": scopes}))
    assert moderating.offered(on_x)["hide"].startswith("X lets this account hide no comments: a right")
    assert "Moderate" not in pane(on_x)
    assert "a right or a role is missing" in pane(on_x)
    with pytest.raises(CannotReach, match="a right or a role"):
        moderating.hide(message=on_x, by=chloe)
    in_private = say(to=make_account("facebook", "Atelier Nord"), kind="direct")
    assert set(moderating.offered(in_private)) == {"like"}
    with pytest.raises(CannotReach):
        moderating.delete(message=in_private, by=chloe)


def test_telegram_deletes_only_what_is_young(
    clock: Clock, make_account: Callable[..., Account], say: Say, chloe: Member
) -> None:
    group = make_account("telegram", "Atelier Nord", limits={"kind": "group"})
    message = say(to=group, said_at=clock.moment - timedelta(hours=47))
    assert moderating.why_not("delete", message) is None
    clock.advance(hours=2)
    assert moderating.why_not("delete", message) == "Telegram lets us delete only what is younger than 48 hours."


@pytest.mark.parametrize("verb", ["hide", "delete"])
def test_a_lost_answer_is_said_and_the_same_again_finishes_it(
    verb: str, comment: Comment, chloe: Member, signed_in: Callable[[Member], Client]
) -> None:
    sandbox, message = comment("facebook")
    client = signed_in(chloe)
    sandbox.will_lose_answer(method="POST" if verb == "hide" else "DELETE")
    page = client.post(f"{HERE}/inbox/{message.pk}/{verb}/", follow=True)
    assert [note.level_tag for note in page.context["messages"]] == ["error"]
    message.refresh_from_db()
    assert (message.hidden_at, message.gone_at) == (None, None)
    client.post(f"{HERE}/inbox/{message.pk}/{verb}/")
    message.refresh_from_db()
    assert (message.hidden_at or message.gone_at) is not None
    assert acts() == ["message.hidden" if verb == "hide" else "message.deleted"]


def test_what_the_network_refuses_is_a_sentence_and_changes_nothing(comment: Comment, chloe: Member) -> None:
    sandbox, message = comment("facebook")
    sandbox.will_answer(403, method="POST")
    with pytest.raises(CannotReach) as problem:
        moderating.hide(message=message, by=chloe)
    assert problem.value.said
    message.refresh_from_db()
    assert message.hidden_at is None
    assert acts() == []


@pytest.mark.parametrize("role", ["editor", "analyst", "guest"])
@pytest.mark.parametrize("verb", ["hide", "unhide", "delete"])
def test_only_those_on_duty_moderate(
    verb: str,
    role: str,
    clock: Clock,
    make_account: Callable[..., Account],
    say: Say,
    seat: Callable[..., Member],
    signed_in: Callable[[Member], Client],
) -> None:
    message, by = say(to=make_account("facebook", "Atelier Nord"), kind="comment"), seat("Gaël", role)
    with pytest.raises(NotAllowed):
        getattr(moderating, verb)(message=message, by=by)
    client = signed_in(by)
    assert client.post(f"{HERE}/inbox/{message.pk}/{verb}/").status_code == (404 if role == "guest" else 403)
    if role != "guest":
        assert "Moderate" not in client.get(f"{HERE}/inbox/?message={message.pk}").content.decode()


def test_a_stranger_finds_nothing_to_delete_not_even_our_answers(
    clock: Clock,
    make_account: Callable[..., Account],
    say: Say,
    charlie: Member,
    signed_in: Callable[[Member], Client],
) -> None:
    ours = say(to=make_account("facebook", "Atelier Nord"), kind="comment", ours=True)
    client = signed_in(charlie)
    for where in ("/w/velo-club", "/w/all", ""):
        assert client.post(f"{where}/inbox/{ours.pk}/delete/").status_code == 404
    with pytest.raises(NotAllowed):
        moderating.delete(message=ours, by=charlie)

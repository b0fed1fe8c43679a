"""An answer goes out once, and the doubt about it is shown."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from regie.community import sending, services
from regie.community.errors import AnsweredMeanwhile, CannotAnswer, CannotReach
from regie.community.models import Answer, Message
from regie.networks.facebook import sign_in as facebook_sign_in
from regie.people.errors import NotAllowed
from regie.people.models import AuditEntry, Notice
from regie.publishing.services import lift, start_frozen_after_restore

if TYPE_CHECKING:
    from regie.accounts.models import Account
    from regie.people.models import Member
    from regie.publishing.models import Delivery
    from tests.conftest import Clock, Sandbox

Do = Callable[[], None]
Say = Callable[..., Message]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def asked(
    clock: Clock, published: Callable[..., Delivery], read: Callable[[], int]
) -> Callable[[Sandbox, Account], Message]:
    """Ana asks something under a post of ours, and it is in the inbox."""

    def ask(sandbox: Sandbox, account: Account) -> Message:
        delivery = published("Open today", account)
        read()
        sandbox.say(by="ana", text="Until when?", to=delivery.remote_id)
        assert read() == 1
        return Message.objects.get()

    return ask


Asked = Callable[["Sandbox", "Account"], Message]


def replies(sandbox: Sandbox) -> list[str]:
    """What the network took from us after the post itself."""
    texts: list[str] = sandbox.texts()
    return texts[1:]


@pytest.mark.parametrize("network", ["mastodon", "bluesky", "telegram"])
def test_an_answer_is_there_once_and_appears_in_the_conversation(
    network: str, request: pytest.FixtureRequest, asked: Asked, chloe: Member, send: Do
) -> None:
    sandbox: Sandbox = request.getfixturevalue(network)
    message = asked(sandbox, request.getfixturevalue(f"{network}_account"))
    answer = services.answer(message=message, text="Until six", by=chloe, seen=0)
    assert (answer.state, replies(sandbox)) == ("sending", [])  # written before the call
    send()
    send()
    answer.refresh_from_db()
    assert (answer.state, answer.problem) == ("sent", "")
    (taken,) = replies(sandbox)
    assert taken.endswith("Until six")
    ours = Message.objects.get(ours=True)
    assert (ours.conversation, ours.remote_id) == (message.conversation, answer.remote_id)
    message.refresh_from_db()
    assert (message.state, message.done_by) == ("done", chloe.user)


@pytest.mark.parametrize("network", ["mastodon", "bluesky"])
def test_an_answer_whose_reply_was_lost_is_there_once_all_the_same(
    network: str, clock: Clock, request: pytest.FixtureRequest, asked: Asked, chloe: Member, send: Do
) -> None:
    sandbox: Sandbox = request.getfixturevalue(network)
    message = asked(sandbox, request.getfixturevalue(f"{network}_account"))
    answer = services.answer(message=message, text="Until six", by=chloe, seen=0)
    sandbox.will_lose_answer(method="POST", path="statuses" if network == "mastodon" else "repo")
    send()
    answer.refresh_from_db()
    assert answer.state != "sent"
    for _ in range(5):
        clock.advance(minutes=3)
        send()
    answer.refresh_from_db()
    assert (answer.state, len(replies(sandbox))) == ("sent", 1)


@pytest.mark.parametrize("taken", [True, False])
def test_a_direct_message_on_bluesky_is_answered_once_whatever_is_lost(
    clock: Clock,
    bluesky: Sandbox,
    bluesky_account: Account,
    read: Callable[[], int],
    chloe: Member,
    send: Do,
    taken: bool,
) -> None:
    read()
    bluesky.say(by="ana", text="Are you open?", to="regie", kind="direct")
    assert read() == 1
    message = Message.objects.get()
    assert message.kind == "direct"
    answer = services.answer(message=message, text="Until six", by=chloe, seen=0)
    bluesky.will_lose_answer(path="sendMessage") if taken else bluesky.will_drop(path="sendMessage")
    for _ in range(6):
        send()
        clock.advance(minutes=3)
    answer.refresh_from_db()
    assert (answer.state, answer.problem) == ("sent", "")
    (convo,) = bluesky.itself.state.convos.values()
    assert [one.text for one in convo.messages] == ["Are you open?", "Until six"]
    read()
    assert Message.objects.filter(ours=False).count() == 1


def test_where_nobody_can_know_a_person_settles_it(
    clock: Clock, telegram: Sandbox, telegram_account: Account, asked: Asked, chloe: Member, send: Do
) -> None:
    message = asked(telegram, telegram_account)
    answer = services.answer(message=message, text="Until six", by=chloe, seen=0)
    telegram.will_lose_answer(path="sendMessage")
    for _ in range(5):
        send()
        clock.advance(minutes=5)
    answer.refresh_from_db()
    assert (answer.state, answer.next_at, len(replies(telegram))) == ("unclear", None, 1)
    assert Notice.objects.get(user=chloe.user).kind == "answer.unclear"
    services.settle_there(answer=answer, link="", by=chloe)
    answer.refresh_from_db()
    message.refresh_from_db()
    assert (answer.state, message.state) == ("sent", "done")


def test_a_person_who_saw_that_it_is_not_there_sends_it_again(
    clock: Clock, telegram: Sandbox, telegram_account: Account, asked: Asked, chloe: Member, send: Do
) -> None:
    message = asked(telegram, telegram_account)
    answer = services.answer(message=message, text="Until six", by=chloe, seen=0)
    telegram.will_drop(path="sendMessage")
    send()
    answer.refresh_from_db()
    assert answer.state == "unclear"
    with pytest.raises(CannotAnswer):  # the first call may still be under way
        services.send_again(answer=answer, by=chloe)
    clock.advance(minutes=2)
    services.send_again(answer=answer, by=chloe)
    send()
    answer.refresh_from_db()
    assert (answer.state, replies(telegram)) == ("sent", ["Until six"])


def test_a_worker_that_died_in_the_middle_leaves_doubt_and_not_a_double(
    clock: Clock, telegram: Sandbox, telegram_account: Account, asked: Asked, chloe: Member, send: Do
) -> None:
    message = asked(telegram, telegram_account)
    answer = services.answer(message=message, text="Until six", by=chloe, seen=0)
    assert sending.claim(answer.pk) is not None  # and the process ends here
    assert sending.claim(answer.pk) is None
    clock.advance(minutes=2)
    send()
    answer.refresh_from_db()
    assert (answer.state, replies(telegram)) == ("unclear", [])


def test_a_dead_worker_is_no_harm_where_the_network_knows_our_key(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, asked: Asked, chloe: Member, send: Do
) -> None:
    message = asked(mastodon, mastodon_account)
    answer = services.answer(message=message, text="Until six", by=chloe, seen=0)
    assert sending.claim(answer.pk) is not None
    clock.advance(minutes=2)
    send()
    answer.refresh_from_db()
    assert (answer.state, len(replies(mastodon))) == ("sent", 1)


def test_an_answer_put_off_until_the_network_forgot_its_key_is_looked_for_first(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, asked: Asked, chloe: Member, send: Do
) -> None:
    message = asked(mastodon, mastodon_account)
    answer = services.answer(message=message, text="Until six", by=chloe, seen=0)
    mastodon.will_lose_answer(method="POST", path="statuses")
    send()
    answer.refresh_from_db()
    assert (answer.state, len(replies(mastodon))) == ("sending", 1)
    clock.advance(hours=2)  # the workers were away
    send()
    send()
    answer.refresh_from_db()
    assert (answer.state, len(replies(mastodon))) == ("sent", 1)


def test_an_answer_put_off_for_hours_that_is_not_there_is_sent_once(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, asked: Asked, chloe: Member, send: Do
) -> None:
    message = asked(mastodon, mastodon_account)
    answer = services.answer(message=message, text="Until six", by=chloe, seen=0)
    mastodon.will_answer(503, method="POST", path="statuses")
    send()
    assert replies(mastodon) == []
    for _ in range(6):
        clock.advance(hours=1)
        send()
    answer.refresh_from_db()
    assert (answer.state, len(replies(mastodon))) == ("sent", 1)


@pytest.mark.parametrize(
    ("network", "under_the_freeze", "at_last"),
    [("mastodon", "sent", "sent"), ("bluesky", "sending", "sent"), ("telegram", "unclear", "unclear")],
)
def test_what_waited_in_a_backup_and_was_answered_since_is_not_answered_again(
    network: str,
    under_the_freeze: str,
    at_last: str,
    request: pytest.FixtureRequest,
    clock: Clock,
    asked: Asked,
    alice: Member,
    chloe: Member,
    send: Do,
) -> None:
    """Looked for, or said again where the key is known for ever, or asked of a person. Nothing new goes out before
    somebody lifted the freeze."""
    sandbox: Sandbox = request.getfixturevalue(network)
    message = asked(sandbox, request.getfixturevalue(f"{network}_account"))
    answer = services.answer(message=message, text="Until six", by=chloe, seen=0)
    backup, at = Answer.objects.filter(pk=answer.pk).values().get(), clock.moment
    send()
    assert len(replies(sandbox)) == 1
    Message.objects.filter(ours=True).delete()
    Answer.objects.filter(pk=answer.pk).update(**backup)
    freeze = start_frozen_after_restore(backed_up_at=at)
    sending.doubt_after_restore()

    clock.advance(minutes=10)
    send()
    answer.refresh_from_db()
    assert answer.state == under_the_freeze
    second = services.answer(message=message, text="Come in", by=chloe, seen=answer.pk)
    send()
    assert len(replies(sandbox)) == 1

    alice.user.is_operator = True
    alice.user.save()
    lift(freeze, by=alice)
    send()
    answer.refresh_from_db()
    second.refresh_from_db()
    assert (answer.state, second.state, len(replies(sandbox))) == (at_last, "sent", 2)


def test_an_answer_that_the_network_refuses_says_why_and_can_be_sent_again(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, asked: Asked, chloe: Member, send: Do
) -> None:
    message = asked(mastodon, mastodon_account)
    answer = services.answer(message=message, text="Until six", by=chloe, seen=0)
    mastodon.will_answer(422, method="POST", path="statuses")
    send()
    answer.refresh_from_db()
    assert answer.state == "refused"
    assert answer.problem
    assert Notice.objects.get(user=chloe.user).kind == "answer.refused"
    services.send_again(answer=answer, by=chloe)
    send()
    assert len(replies(mastodon)) == 1


def test_a_busy_network_gets_the_answer_when_it_said_it_would_take_it(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, asked: Asked, chloe: Member, send: Do
) -> None:
    message = asked(mastodon, mastodon_account)
    answer = services.answer(message=message, text="Until six", by=chloe, seen=0)
    until = clock.moment + timedelta(minutes=20)
    mastodon.will_answer(429, headers={"X-RateLimit-Reset": until.strftime("%Y-%m-%dT%H:%M:%SZ")}, method="POST")
    send()
    answer.refresh_from_db()
    assert (answer.state, answer.next_at) == ("sending", until)
    clock.set(until)
    send()
    assert len(replies(mastodon)) == 1


def test_an_expired_token_is_traded_and_the_answer_goes_out(
    clock: Clock, bluesky: Sandbox, bluesky_account: Account, asked: Asked, chloe: Member, send: Do
) -> None:
    message = asked(bluesky, bluesky_account)
    services.answer(message=message, text="Until six", by=chloe, seen=0)
    bluesky.will_answer(400, body={"error": "ExpiredToken", "message": "Token has expired"}, path="repo")
    send()
    send()
    assert len(replies(bluesky)) == 1


def test_two_people_who_answer_at_once_hear_of_each_other(clock: Clock, say: Say, alice: Member, chloe: Member) -> None:
    message = say()
    first = services.answer(message=message, text="Until six", by=alice, seen=0)
    with pytest.raises(AnsweredMeanwhile):
        services.answer(message=message, text="Six o'clock", by=chloe, seen=0)
    services.answer(message=message, text="Six o'clock", by=chloe, seen=first.pk)
    assert Answer.objects.count() == 2


def test_a_text_too_long_by_one_is_not_promised(clock: Clock, say: Say, chloe: Member) -> None:
    message = say()
    with pytest.raises(CannotAnswer, match="1"):
        services.answer(message=message, text="é" * 501, by=chloe, seen=0)
    services.answer(message=message, text="é" * 500, by=chloe, seen=0)
    with pytest.raises(CannotAnswer):
        services.answer(message=message, text="   ", by=chloe, seen=0)


@pytest.mark.parametrize(
    ("network", "longest"), [("facebook", 2000), ("instagram", 500), ("bluesky", 1000), ("vk", 9000)]
)
def test_a_private_answer_is_as_short_as_the_network_wants_it(
    network: str, longest: int, make_account: Callable[..., Account], say: Say
) -> None:
    message = say(to=make_account(network), kind="direct")
    assert services.why_not(message, "é" * longest) is None  # Instagram counts bytes
    assert services.why_not(message, "é" * (longest + 1)) is not None


def test_what_an_account_may_not_answer_is_not_offered(make_account: Callable[..., Account], say: Say) -> None:
    """A Page whose sign-in left the permission for comments unticked still answers messages."""
    lacking = facebook_sign_in.MISSING["pages_manage_engagement"]
    page = make_account("facebook", limits={"missing": [lacking]})
    assert services.why_not(say(to=page, kind="comment"), "Until six") == "This cannot be answered from here."
    assert services.why_not(say(to=page, kind="direct"), "Until six") is None


def test_nothing_is_promised_when_the_time_to_answer_is_over(clock: Clock, say: Say, chloe: Member) -> None:
    message = say(answer_until=clock.moment + timedelta(hours=1))
    assert services.why_not(message, "Six") is None
    clock.advance(hours=2)
    with pytest.raises(CannotAnswer):
        services.answer(message=message, text="Six", by=chloe, seen=0)


@pytest.mark.parametrize("network", ["mastodon", "bluesky", "telegram"])
def test_a_like_shows_and_can_be_taken_back(
    network: str, request: pytest.FixtureRequest, asked: Asked, chloe: Member
) -> None:
    message = asked(request.getfixturevalue(network), request.getfixturevalue(f"{network}_account"))
    services.like(message=message, by=chloe)
    services.like(message=message, by=chloe)
    assert message.liked_at is not None
    services.unlike(message=message, by=chloe)
    assert message.liked_at is None


def test_a_like_that_the_network_does_not_take_is_not_shown(
    clock: Clock, mastodon: Sandbox, mastodon_account: Account, asked: Asked, chloe: Member
) -> None:
    message = asked(mastodon, mastodon_account)
    mastodon.will_answer(503, path="favourite")
    with pytest.raises(CannotReach):
        services.like(message=message, by=chloe)
    message.refresh_from_db()
    assert message.liked_at is None


def test_done_and_reopened_leave_their_trace(clock: Clock, say: Say, chloe: Member) -> None:
    message = say()
    assert services.mark_done(messages=[message], by=chloe) == [message]
    assert services.mark_done(messages=[message], by=chloe) == []
    assert services.reopen(messages=[message], by=chloe) == [message]
    acts = list(AuditEntry.objects.filter(what="message").order_by("pk").values_list("did", flat=True))
    assert acts == ["message.done", "message.reopened"]


def test_whoever_is_asked_to_answer_is_told(clock: Clock, say: Say, alice: Member, chloe: Member) -> None:
    message = say()
    services.assign(message=message, to=chloe.user, by=alice)
    notice = Notice.objects.get()
    assert (notice.user, notice.kind, notice.path) == (chloe.user, "message.assigned", f"inbox/?message={message.pk}")
    services.assign(message=message, to=None, by=chloe)
    assert Message.objects.get().assignee is None


def test_a_message_is_not_assigned_to_somebody_who_cannot_answer_or_is_a_stranger(
    clock: Clock, say: Say, alice: Member, bob: Member, charlie: Member
) -> None:
    message = say()
    for person in (bob, charlie):
        with pytest.raises(CannotAnswer):
            services.assign(message=message, to=person.user, by=alice)


@pytest.mark.parametrize("role", ["editor", "analyst", "guest"])
def test_only_those_on_duty_act_on_messages(role: str, clock: Clock, say: Say, seat: Callable[..., Member]) -> None:
    message, by = say(), seat("Gaël", role)
    with pytest.raises(NotAllowed):
        services.answer(message=message, text="Six", by=by, seen=0)
    with pytest.raises(NotAllowed):
        services.mark_done(messages=[message], by=by)
    with pytest.raises(NotAllowed):
        services.assign(message=message, to=None, by=by)
    with pytest.raises(NotAllowed):
        services.like(message=message, by=by)


def test_a_stranger_acts_on_nothing(clock: Clock, say: Say, charlie: Member) -> None:
    message = say()
    with pytest.raises(NotAllowed):
        services.answer(message=message, text="Six", by=charlie, seen=0)

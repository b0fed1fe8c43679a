"""Messages and numbers, as a program reads and answers them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from regie.accounts.models import Account
from regie.community.models import Answer, Conversation, Message
from regie.measure.models import MadeElsewhere, Sample
from regie.people.models import Member
from regie.publishing.models import Delivery

if TYPE_CHECKING:
    from tests.api.conftest import Program
    from tests.conftest import Clock, Sandbox


@pytest.fixture
def message(clock: Clock, account: Account) -> Message:
    conversation = Conversation.objects.create(
        workspace=account.workspace, account=account, remote_id="c1", last_at=clock.moment
    )
    return Message.objects.create(
        workspace=account.workspace,
        account=account,
        conversation=conversation,
        remote_id="m1",
        kind="reply",
        author_id="a1",
        author_name="Zoé",
        text="Where can I buy it?",
        said_at=clock.moment,
    )


def test_a_message_is_read_answered_once_and_done(
    message: Message, program: Callable[..., Program], alice: Member
) -> None:
    website = program(alice)
    assert [one["author"] for one in website.get("/messages?state=open")[1]["items"]] == ["Zoé"]
    where = f"/messages/{message.pk}"
    before = website.get(where)[1]
    assert (before["why_not"], before["newest_answer"], len(before["conversation"])) == ("", 0, 1)
    key = {"Idempotency-Key": "answer-1"}
    first = website.post(f"{where}/answer", {"text": "In our shop."}, **key)
    assert website.post(f"{where}/answer", {"text": "In our shop."}, **key) == first
    assert (first[0], first[1]["state"]) == (200, "sending")
    assert Answer.objects.count() == 1
    assert ProcrastinateJob.objects.filter(task_name__endswith="work_on_answer").count() == 1
    status, said = website.post(f"{where}/answer", {"text": "In our shop!"})
    assert (status, said["error"]) == (409, "changed")
    assert website.get(where)[1]["newest_answer"] == first[1]["id"]
    assert website.post(f"{where}/done")[1]["state"] == "done"
    assert website.get("/messages?state=open")[1]["items"] == []
    assert website.post(f"{where}/reopen")[1]["state"] == "open"


def test_a_message_is_liked_on_its_network(
    mastodon: Sandbox, account: Account, message: Message, program: Callable[..., Program], alice: Member
) -> None:
    note = mastodon.say(text="Lovely @regie", by="zoe")
    Message.objects.filter(pk=message.pk).update(remote_id=note)
    website = program(alice)
    assert website.post(f"/messages/{message.pk}/like")[1]["liked"] is True
    assert website.post(f"/messages/{message.pk}/unlike")[1]["liked"] is False


def test_a_network_that_is_away_is_a_sentence(
    mastodon: Sandbox, account: Account, message: Message, program: Callable[..., Program], alice: Member
) -> None:
    mastodon.will_answer(503, method="POST")
    status, said = program(alice).post(f"/messages/{message.pk}/like")
    assert (status, said["error"]) == (422, "problem")
    assert said["said"]


def test_samples_are_narrowed_by_account_delivery_metric_and_time(
    clock: Clock, account: Account, delivery: Delivery, program: Callable[..., Program], bob: Member
) -> None:
    for minutes, value, of in ((0, 3, delivery), (5, 5, delivery), (5, None, None)):
        Sample.objects.create(
            workspace=account.workspace,
            account=account,
            delivery=of,
            metric="likes" if of else "followers",
            value=value,
            at=clock.at(f"09:{minutes:02}"),
        )
    website = program(bob)
    numbers = website.get(f"/samples?delivery={delivery.pk}&metric=likes")[1]["items"]
    assert [one["value"] for one in numbers] == [3, 5]
    own = website.get(f"/samples?account={account.pk}")[1]["items"]
    assert [(one["metric"], one["value"]) for one in own] == [("followers", None)]
    assert len(website.get("/samples?since=2030-03-01T09:05:00Z")[1]["items"]) == 2
    assert len(website.get("/samples?until=2030-03-01T09:05:00Z")[1]["items"]) == 1


def test_programs_read_what_was_made_elsewhere_and_strangers_do_not(
    clock: Clock, account: Account, program: Callable[..., Program], alice: Member, charlie: Member
) -> None:
    MadeElsewhere.objects.create(
        workspace=account.workspace,
        account=account,
        remote_id="7",
        text="From the app",
        published_at=clock.moment,
        latest={"likes": [3, clock.moment.isoformat()]},
    )
    where = f"/accounts/{account.pk}/made-elsewhere"
    (one,) = program(alice).get(where)[1]["items"]
    assert (one["text"], one["numbers"], one["gone_at"]) == ("From the app", {"likes": 3}, None)
    assert program(charlie).get(where)[0] == 404

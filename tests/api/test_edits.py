"""A program changes what is published, once, and asks what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from regie.publishing import services
from regie.publishing.models import Attempt, Delivery, Edit, Step

if TYPE_CHECKING:
    from regie.accounts.models import Account
    from regie.people.models import Member
    from regie.studio.models import Post
    from tests.api.conftest import Program
    from tests.conftest import Clock

pytestmark = pytest.mark.django_db


@pytest.fixture
def delivery(
    clock: Clock, make_account: Callable[..., Account], write_post: Callable[..., Post], bob: Member
) -> Delivery:
    """What "Open until six" leaves when it went out; nobody talks to the network here."""
    made = services.publish_now(post=write_post("Open until six", on=[make_account()]), by=bob)[0]
    step = made.steps.get()
    for table, pk in ((Step, step.pk), (Delivery, made.pk)):
        for state in ("claimed", "sending", "published") if table is Delivery else ("published",):
            table.objects.filter(pk=pk).update(state=state, remote_id="p1")
    now = clock.moment
    Attempt.objects.create(step=step, number=1, fingerprint="f", publisher="p", began_at=now, deadline=now)
    made.refresh_from_db()
    return made


def test_what_is_out_is_changed_once_and_a_second_editor_hears_of_it(
    delivery: Delivery, program: Callable[..., Program], bob: Member
) -> None:
    website, where = program(bob), f"/deliveries/{delivery.pk}"
    assert website.get(f"{where}/edits") == (200, {"why_not": "", "options": [], "edits": []})
    key = {"Idempotency-Key": "edit-1"}
    first = website.post(f"{where}/edit", {"text": "Open until seven"}, **key)
    assert website.post(f"{where}/edit", {"text": "Open until seven"}, **key) == first
    assert (first[0], first[1]["state"], first[1]["before"]) == (200, "waiting", "Open until six")
    assert ProcrastinateJob.objects.filter(task_name__endswith="work_on_edit").count() == 1
    status, said = website.post(f"{where}/edit", {"text": "Open until eight"})
    assert (status, said["error"]) == (409, "changed")
    (listed,) = website.get(f"{where}/edits")[1]["edits"]
    assert (listed["number"], listed["text"], listed["by"]) == (1, "Open until seven", bob.user_id)


def test_what_does_not_fit_is_a_sentence_for_the_account(
    delivery: Delivery, program: Callable[..., Program], bob: Member
) -> None:
    status, said = program(bob).post(f"/deliveries/{delivery.pk}/edit", {"text": "é" * 501})
    assert (status, said["error"]) == (422, "not_ready")
    assert said["details"][0]["account"] == delivery.account_id
    assert not Edit.objects.exists()


def test_what_nobody_knows_is_settled_by_whoever_looked(
    delivery: Delivery, program: Callable[..., Program], bob: Member
) -> None:
    website = program(bob)
    made = website.post(f"/deliveries/{delivery.pk}/edit", {"text": "Open until seven"})[1]
    assert website.post(f"/edits/{made['id']}/settle", {"there": True})[0] == 409  # it is under way
    Edit.objects.update(state="unclear", next_at=None)
    assert website.post(f"/edits/{made['id']}/settle", {"there": True})[1]["state"] == "done"
    assert delivery.steps.get().content["text"] == "Open until seven"

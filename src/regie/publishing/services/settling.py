"""What became of a delivery, as a person or the network says it."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext as _

from regie.accounts.models import Account
from regie.core import clock
from regie.core.errors import Problem
from regie.networks import registry
from regie.networks.protocols import Finds, ReadsLinks
from regie.people import audit
from regie.people.models import Member
from regie.publishing.errors import NotNow
from regie.publishing.models import Attempt, Delivery, Step
from regie.publishing.services.rows import has_parts_out, label, locked, publish, save_with_its_post
from regie.publishing.states import State


@transaction.atomic
def settle_there(delivery: Delivery, *, link: str, by: Member) -> Delivery:
    """A person found an unclear one on the network; ``link`` is its address or its id there, the receipt.

    The parts of a thread that are missing wait for a person's word. Raises AlreadyPlanned when that post is another
    delivery's.
    """
    by.must("publish", delivery)
    row = locked(delivery, (State.UNCLEAR,), _("It is no longer unclear."))
    missing = list(row.steps.exclude(state__in=(Step.State.PUBLISHED, Step.State.DROPPED)).order_by("position"))
    if missing:
        _mark_published(row, missing[0], link)
    if missing[1:]:
        row.state, row.look_at, row.to_tell, row.problem, row.problem_facts = State.PARTLY, None, False, "", {}
        row.lease, row.leased_until = None, None  # whoever looks for it at this moment knows less than a person
        save_with_its_post(row)
    else:
        publish(row)
    audit.record(by=by, did="delivery.settled_there", to=row, label=label(row), link=link[:300])
    return row


@transaction.atomic
def settle_absent(delivery: Delivery, *, by: Member) -> Delivery:
    """A person looked, and an unclear one is not there: it waits as missed, to be sent again or let go.

    Raises NotNow while the call may still be under way: what is not there yet could appear.
    """
    by.must("publish", delivery)
    row = locked(delivery, (State.UNCLEAR,), _("It is no longer unclear."))
    if Attempt.objects.filter(step__delivery=row, ended_at=None, deadline__gt=clock.now()).exists():
        raise NotNow(_("It may still be on its way there. Look again in two minutes."))
    row.steps.filter(state=Step.State.UNCLEAR).update(state=Step.State.WAITING)
    row.state = State.PARTLY if has_parts_out(row) else State.MISSED
    row.look_at, row.to_tell, row.problem, row.problem_facts = None, False, "", {}
    row.lease, row.leased_until = None, None
    row.save()
    audit.record(by=by, did="delivery.settled_absent", to=row, label=label(row))
    return row


@transaction.atomic
def done_by_hand(delivery: Delivery, *, link: str, by: Member) -> Delivery:
    """A person published it; ``link`` is the receipt, from which metrics follow. The assignee may say so too."""
    if by.user_id != delivery.variant.assignee_id or by.workspace_id != delivery.workspace_id:
        by.must("publish", delivery)
    row = locked(
        delivery, (State.BY_HAND, State.MISSED, State.REFUSED), _("Nobody is waiting for this to be done by hand.")
    )
    for step in row.steps.exclude(state=Step.State.DROPPED):
        if step.position == 0:
            _mark_published(row, step, link)
        else:
            Step.objects.filter(pk=step.pk).update(state=Step.State.PUBLISHED, published_at=clock.now())
    publish(row)
    audit.record(by=by, did="delivery.done_by_hand", to=row, label=label(row), link=link[:300])
    return row


def _mark_published(row: Delivery, step: Step, link: str) -> None:
    step.remote_id, step.url = receipt_from(row.account, link)
    step.state, step.published_at = Step.State.PUBLISHED, clock.now()
    step.save()
    if step.position == 0:
        row.remote_id, row.url = step.remote_id, step.url


def receipt_from(account: Account, link: str) -> tuple[str, str]:
    """The network's id and the address, from what a person pasted: a link, or an id. Raises Problem when empty."""
    link = link.strip()
    if not link:
        raise Problem(_("Paste the link of the post."))
    connector = registry.connector(account.network)
    is_link = link.startswith(("http://", "https://"))
    known = connector.id_of(link, author=account.remote_id) if is_link and issubclass(connector, ReadsLinks) else None
    return (known or link)[:300], link[:500] if is_link else ""


@transaction.atomic
def made_public(delivery: Delivery, *, by: Member) -> Delivery:
    """A person let the public see what the network had taken without showing it. Raises NotAllowed, NotNow."""
    by.must("publish", delivery)
    row = locked(delivery, (State.PUBLISHED,), _("It is not published."))
    if not row.limited:
        raise NotNow(_("The public sees it already."))
    row.limited = ""
    row.save(update_fields=["limited"])
    audit.record(by=by, did="delivery.made_public", to=row, label=label(row))
    return row


@transaction.atomic
def look_again(delivery: Delivery, *, by: Member) -> Delivery:
    """Has a publisher ask at once whether the public sees by now what the network took without showing it. Raises
    NotAllowed, NotNow."""
    by.must("publish", delivery)
    row = locked(delivery, (State.PUBLISHED,), _("It is not published."))
    if not can_look_again(row):
        raise NotNow(_("There is nothing to look at again."))
    row.look_at = clock.now()
    row.save(update_fields=["look_at"])
    return row


def can_look_again(row: Delivery) -> bool:
    """It is kept from the public, and its network tells what became of a post."""
    kept = row.state == State.PUBLISHED and bool(row.limited) and row.gone_at is None and row.remove_at is None
    return kept and bool(row.remote_id) and issubclass(registry.connector(row.account.network), Finds)


@transaction.atomic
def mark_gone(delivery: Delivery) -> None:
    """The network said that a published post is no longer there."""
    if Delivery.objects.filter(pk=delivery.pk, gone_at=None).update(gone_at=clock.now(), look_at=None):
        audit.record(by=None, did="delivery.gone", to=delivery, label=label(delivery))


def no_longer_there(*, account_id: int, remote_ids: Collection[str]) -> int:
    """The network says that posts are gone: deleted there, or hidden from the public. Returns how many were ours."""
    rows = Delivery.objects.filter(account=account_id, remote_id__in=remote_ids, state=State.PUBLISHED, gone_at=None)
    return rows.update(gone_at=clock.now(), look_at=None)


def seen_by_all(*, account_id: int, remote_ids: Collection[str]) -> int:
    """The network shows posts to the public that it had taken without doing so. Returns how many were ours."""
    if not remote_ids:
        return 0
    rows = Delivery.objects.filter(account=account_id, remote_id__in=remote_ids, state=State.PUBLISHED)
    return rows.exclude(limited="").update(limited="", to_tell=True)

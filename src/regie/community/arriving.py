"""Messages into tables: once each, beside the post they answer, in one transaction with the cursor behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.db.models import Q

from regie.accounts.models import Account
from regie.accounts.opening import login_of
from regie.community.models import Avatar, Conversation, Inbox, Message
from regie.community.words import vector
from regie.core import clock
from regie.core.sealed import CannotOpen
from regie.measure.services import hear
from regie.networks import registry
from regie.networks.data import Incoming, Messages
from regie.networks.protocols import SharesInbox
from regie.publishing import services as publishing
from regie.publishing.models import Delivery, Step

FRESH = ("text", "words", "author_name", "author_handle", "author_url", "author_avatar", "url", "extra", "answer_until")
STILL_LINKING = timedelta(days=2)
BATCH = 500


@transaction.atomic
def store(inbox: Inbox, page: Messages, *, cursor: bool = True) -> int:
    """Keeps what a queue brought and moves its cursor, or nothing at all. The same page again changes nothing.

    cursor: False for what came by webhook, which knows no place in a queue
    Returns how many messages were not there before.
    """
    fresh = 0
    for account, messages in _routed(inbox, page).items():
        fresh += _store_messages(account, messages)
        _mark_gone(account, page.gone)
        publishing.seen_by_all(account_id=account.pk, remote_ids=page.shown)
        hear(account, page.samples)
    moved = Inbox.objects.filter(pk=inbox.pk, cursor=inbox.cursor)  # only forward: another reader may be ahead
    if cursor and page.cursor != inbox.cursor and moved.update(cursor=page.cursor):
        inbox.cursor = page.cursor
    return fresh


def _routed(inbox: Inbox, page: Messages) -> dict[Account, list[Incoming]]:
    """Whom each message concerns. A shared queue asks the connector; a message may concern two accounts.

    Also a paused or broken account of it: what the queue has told once it never tells again.
    """
    connector = registry.connector(inbox.network)
    served = Account.objects.filter(inbox_account__inbox=inbox).exclude(state=Account.State.REMOVED)
    accounts = list(served.order_by("pk"))
    if not issubclass(connector, SharesInbox):
        return {account: list(page.messages) for account in accounts}
    routed = {}
    for account in accounts:
        try:
            login = login_of(account)
        except CannotOpen:
            continue
        routed[account] = [one for one in page.messages if connector.is_for(login, one)]
    return routed


def accounts_of(inbox: Inbox) -> Iterable[Account]:
    """The connected accounts that a queue serves, always in the same order."""
    return Account.objects.filter(inbox_account__inbox=inbox, state=Account.State.CONNECTED).order_by("pk")


def _store_messages(account: Account, incoming: Iterable[Incoming]) -> int:
    found = {one.remote_id: _short(one) for one in incoming}  # said twice in one page: the later word
    if not found:
        return 0
    conversations = _conversations(account, found.values())
    avatars = _avatars(found.values())
    known = set(Message.objects.filter(account=account, remote_id__in=found).values_list("remote_id", flat=True))
    rows = [_row(account, one, conversations, avatars) for one in sorted(found.values(), key=lambda one: one.remote_id)]
    for first in range(0, len(rows), BATCH):
        Message.objects.bulk_create(
            rows[first : first + BATCH],
            update_conflicts=True,
            unique_fields=["account", "remote_id"],
            update_fields=list(FRESH),
        )
    _hide_or_show(account, found.values())
    return len(found) - len(known)


def _hide_or_show(account: Account, incoming: Iterable[Incoming]) -> None:
    """Where a network says it: what waits for somebody's review is hidden, and no longer so once it was shown there."""
    ids: dict[bool, list[str]] = {True: [], False: []}
    for one in incoming:
        if one.hidden is not None:
            ids[one.hidden].append(one.remote_id)
    if not any(ids.values()):
        return
    told = Message.objects.filter(account=account)
    told.filter(remote_id__in=ids[True], hidden_at=None).update(hidden_at=clock.now())
    told.filter(remote_id__in=ids[False]).exclude(hidden_at=None).update(hidden_at=None, hidden_by=None)


def _short(one: Incoming) -> Incoming:
    return replace(one, text=one.text.replace("\0", ""), conversation_id=(one.conversation_id or one.remote_id)[:300])


def _row(
    account: Account, one: Incoming, conversations: Mapping[str, Conversation], avatars: Mapping[str, Avatar]
) -> Message:
    return Message(
        workspace_id=account.workspace_id,
        account=account,
        conversation=conversations[one.conversation_id],
        remote_id=one.remote_id,
        kind=str(one.kind),
        ours=one.by.remote_id == account.remote_id,
        author_id=one.by.remote_id,
        author_name=one.by.name.replace("\0", "")[:200],
        author_handle=one.by.handle[:200],
        author_url=_address(one.by.url, 500),
        author_avatar=avatars.get(one.by.avatar_url),
        text=one.text,
        url=_address(one.url, 500),
        reply_to_id=one.reply_to_id,
        extra={**one.extra, "pictures": list(one.pictures)} if one.pictures else dict(one.extra),
        said_at=min(one.said_at, clock.now() + timedelta(minutes=5)),  # a clock far ahead would stay on top for ever
        answer_until=one.answer_until,
        liked_at=clock.now() if one.liked_by_us else None,
        words=vector(one.by.name, one.by.handle, one.text),
    )


def _address(url: str, longest: int) -> str:
    """Only what a browser may follow: a network may hand on whatever people typed."""
    return url if url.startswith(("https://", "http://")) and len(url) <= longest else ""


def _avatars(incoming: Iterable[Incoming]) -> dict[str, Avatar]:
    wanted = sorted({url for one in incoming if (url := _address(one.by.avatar_url, 1000))})
    Avatar.objects.bulk_create((Avatar(url=url) for url in wanted), ignore_conflicts=True)
    return {avatar.url: avatar for avatar in Avatar.objects.filter(url__in=wanted)}


def _conversations(account: Account, incoming: Iterable[Incoming]) -> dict[str, Conversation]:
    """Every conversation named, made when missing, with its last moment and, when known, the post it is under."""
    told = sorted(incoming, key=lambda one: one.said_at)
    last = {one.conversation_id: one.said_at for one in told}
    posts = {one.conversation_id: one.post_id for one in told if one.post_id}
    answered = {one.conversation_id: one.reply_to_id for one in told if one.reply_to_id}
    Conversation.objects.bulk_create(
        (
            Conversation(
                workspace_id=account.workspace_id, account=account, remote_id=remote_id, last_at=last[remote_id]
            )
            for remote_id in sorted(last)
        ),
        ignore_conflicts=True,
    )
    rows = Conversation.objects.select_for_update().filter(account=account, remote_id__in=last).order_by("pk")
    found = {row.remote_id: row for row in rows}
    deliveries = deliveries_of(account, {*posts.values(), *answered.values(), *last})
    for remote_id, row in found.items():
        row.last_at = max(row.last_at, last[remote_id])
        row.post_id = row.post_id or posts.get(remote_id, "")
        above = (row.post_id, answered.get(remote_id, ""), remote_id)
        row.delivery_id = row.delivery_id or next((deliveries[one] for one in above if one in deliveries), None)
    Conversation.objects.bulk_update(found.values(), ["last_at", "post_id", "delivery"])
    return found


def deliveries_of(account: Account, remote_ids: Iterable[str]) -> dict[str, int]:
    """Which of our deliveries have these remote ids, as a whole or as one part of a thread."""
    wanted = [one for one in remote_ids if one]
    found = dict(Delivery.objects.filter(account=account, remote_id__in=wanted).values_list("remote_id", "pk"))
    rest = [one for one in wanted if one not in found]
    parts = Step.objects.filter(remote_id__in=rest, delivery__account=account).values_list("remote_id", "delivery_id")
    return {**dict(parts), **found} if rest else found


def _mark_gone(account: Account, remote_ids: Sequence[str]) -> None:
    """What its author took back waits for nobody: it counts as done, as what is deleted from here."""
    if not remote_ids:
        return
    publishing.no_longer_there(account_id=account.pk, remote_ids=remote_ids)
    now = clock.now()
    gone = Message.objects.filter(account=account, remote_id__in=remote_ids, gone_at=None)
    gone.filter(state=Message.State.OPEN).update(state=Message.State.DONE, done_at=now)
    gone.update(gone_at=now)


def link_late_posts() -> int:
    """An answer can be here before we know our own post's id: its conversation finds the delivery later.

    Returns how many conversations found theirs.
    """
    waiting = Conversation.objects.filter(
        ~Q(post_id=""), delivery=None, last_at__gt=clock.now() - STILL_LINKING
    ).select_related("account")
    linked = 0
    for row in waiting.order_by("-last_at")[:BATCH]:
        found = deliveries_of(row.account, [row.post_id, row.remote_id])
        if delivery := found.get(row.post_id) or found.get(row.remote_id):
            linked += Conversation.objects.filter(pk=row.pk, delivery=None).update(delivery=delivery)
    return linked

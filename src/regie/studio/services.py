"""Writing posts: save, duplicate, put in the bin and take out again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.utils.translation import gettext as _

from regie.accounts.models import Account
from regie.core import clock
from regie.media.models import File
from regie.people import audit
from regie.people.errors import NotAllowed
from regie.people.models import Member, Workspace
from regie.studio.content import Content
from regie.studio.errors import InTheBin, NoSuchAccount, Outdated, StillPromised
from regie.studio.models import Campaign, Post, Variant
from regie.studio.options import named
from regie.studio.signals import post_changed, post_removed

SETTLED = ("published", "cancelled")
"""States of a delivery after which nothing more happens by itself or waits for a person: publishing/states.py."""


SAME, NONE = -1, 0  # a post's campaign: as it is, and none


@dataclass(frozen=True, slots=True)
class Given:
    """What a person wants of one account. ``content`` None: the shared text."""

    content: Content | None = None
    by_hand: bool = False
    assignee: int | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A whole post as a person left it. ``on``: account number -> what is wanted there, in the order chosen.

    ``campaign``: its number, NONE for no campaign, or SAME to leave it as it is.
    """

    content: Content = field(default_factory=Content)
    on: Mapping[int, Given] = field(default_factory=dict)
    title: str = ""
    campaign: int = SAME


@transaction.atomic
def save(*, post: Post | None, workspace: Workspace, written: Written, version: int, by: Member) -> Post:
    """Keeps what a person wrote: a new post, or the next version of one.

    ``version`` is the one the person's page was made from. Raises NotAllowed; Outdated when somebody saved since,
    and then nothing was changed; InTheBin; NoSuchAccount.
    """
    by.must("write")
    if by.workspace_id != workspace.pk or (post is not None and post.workspace_id != workspace.pk):
        raise NotAllowed("write", role=by.role)
    accounts = _accounts(workspace, written)
    row = _next_version(post, workspace, version, by)
    before = (row.title, row.content, row.campaign_id, _standing(row)) if post is not None else None
    written = _with_names(written, accounts)
    row.title, row.content, row.updated_at = written.title.strip()[:200], written.content.as_json(), clock.now()
    row.campaign_id = _campaign(row, written.campaign)
    row.save()
    _set_variants(row, written, accounts)
    _set_files(row, written)
    if (row.title, row.content, row.campaign_id, _standing(row)) == before:  # an autosave of nothing new
        Post.objects.filter(pk=row.pk).update(version=version)
        row.version = version
        return row
    audit.record(by=by, did="post.saved" if post is not None else "post.created", to=row)
    post_changed.send(Post, post=row, by=by)
    return row


def _next_version(post: Post | None, workspace: Workspace, version: int, by: Member) -> Post:
    if post is None:
        return Post(workspace=workspace, author=by.user, version=1)
    row = Post.objects.select_for_update().get(pk=post.pk)
    if row.removed_at is not None:
        raise InTheBin(_("This post is in the bin: take it out, then what you typed can be kept."))
    if row.version != version:
        raise Outdated(
            _("Somebody saved this post after you opened it: choose which of the two to keep."), version=row.version
        )
    row.version += 1
    return row


def _with_names(written: Written, accounts: Mapping[int, Account]) -> Written:
    """What was chosen keeps the name that its network gave it, whatever becomes of it there: receipts tell people."""
    shared = [accounts[pk] for pk, given in written.on.items() if given.content is None]
    on = {
        pk: replace(given, content=named(given.content, [accounts[pk]])) if given.content is not None else given
        for pk, given in written.on.items()
    }
    return replace(written, content=named(written.content, shared), on=on)


def _campaign(post: Post, wanted: int) -> int | None:
    """The campaign's number; one that is not the workspace's is taken as not said."""
    if wanted == NONE:
        return None
    known = wanted != SAME and Campaign.objects.filter(workspace=post.workspace_id, pk=wanted).exists()
    return wanted if known else post.campaign_id


def _accounts(workspace: Workspace, written: Written) -> dict[int, Account]:
    found = Account.objects.filter(workspace=workspace).in_bulk(list(written.on))
    if len(found) < len(written.on):
        raise NoSuchAccount(_("An account you chose is no longer there. Reload the page."))
    return found


def _standing(post: Post) -> list[tuple[object, ...]]:
    """What the variants say now, to tell a change from a save of the same."""
    rows = post.variants.filter(dropped_at=None).order_by("account_id")
    return list(rows.values_list("account_id", "content", "by_hand", "assignee_id"))


def _set_variants(post: Post, written: Written, accounts: Mapping[int, Account]) -> None:
    there = {variant.account_id: variant for variant in post.variants.all()}
    for account_id, given in written.on.items():
        variant = there.get(account_id) or Variant(post=post, account=accounts[account_id])
        variant.content = given.content.as_json() if given.content is not None else None
        variant.by_hand = given.by_hand
        variant.assignee_id = _member_or_none(post, given.assignee) if given.by_hand else None
        variant.dropped_at = None
        variant.save()
    gone = [variant.pk for key, variant in there.items() if key not in written.on and variant.dropped_at is None]
    Variant.objects.filter(pk__in=gone).update(dropped_at=clock.now())


def _member_or_none(post: Post, user_id: int | None) -> int | None:
    if user_id is None:
        return None
    return user_id if Member.objects.filter(workspace=post.workspace_id, user=user_id).exists() else None


def _set_files(post: Post, written: Written) -> None:
    wanted = set(written.content.file_ids)
    for given in written.on.values():
        wanted |= given.content.file_ids if given.content is not None else set()
    post.files.set(File.objects.filter(workspace=post.workspace_id, pk__in=wanted))


@transaction.atomic
def duplicate(*, post: Post, by: Member) -> Post:
    """A new draft with the same texts, pictures and accounts, promised to nobody."""
    by.must("write", post)
    copy = Post.objects.create(
        workspace=post.workspace,
        title=_("Copy of {title}").format(title=post.title)[:200] if post.title else "",
        content=post.content,
        author=by.user,
        campaign_id=post.campaign_id,
    )
    Variant.objects.bulk_create(
        Variant(post=copy, account=v.account, content=v.content, by_hand=v.by_hand, assignee_id=v.assignee_id)
        for v in post.variants.filter(dropped_at=None).exclude(account__state=Account.State.REMOVED)
    )
    copy.files.set(post.files.all())
    audit.record(by=by, did="post.duplicated", to=copy, of=post.pk)
    return copy


@transaction.atomic
def remove(*, posts: Iterable[Post], by: Member) -> list[Post]:
    """Puts posts in the bin. What is published stays where it is, and so does its proof.

    Raises NotAllowed; StillPromised when one of them is still to go out, and then none was removed.
    """
    removed = []
    for post in posts:
        by.must("write", post)
        if post.variants.filter(deliveries__isnull=False).exclude(deliveries__state__in=SETTLED).exists():
            raise StillPromised(
                _("“{post}” is still planned or needs a decision: cancel its deliveries first.").format(post=post)
            )
        if post.removed_at is None:
            post.removed_at = clock.now()
            post.save(update_fields=["removed_at"])
            audit.record(by=by, did="post.removed", to=post)
            post_removed.send(Post, post=post, by=by)
            removed.append(post)
    return removed


@transaction.atomic
def restore(*, posts: Iterable[Post], by: Member) -> None:
    """The undo of ``remove``."""
    for post in posts:
        by.must("write", post)
        if post.removed_at is not None:
            post.removed_at = None
            post.save(update_fields=["removed_at"])
            audit.record(by=by, did="post.restored", to=post)

"""What is promised: deliveries of every kind of connector, with threads, pictures and twins among them."""

from __future__ import annotations

import argparse
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

THREADS, PICTURES, TWINS = 0.12, 0.05, 0.06  # of all deliveries
PATIENCE_MINUTES = 24 * 60  # nothing here is missed for being late
VISIBLE_SECONDS = 4  # the sandboxes' listings lag by less
WORKSPACES = 5


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of connector. ``sandbox``: which of the two; ``settles``: whether a doubt ends without a person;
    ``per_account``: deliveries, well within what the network allows, so that none is spread to a later hour."""

    name: str
    network: str
    sandbox: int = 0
    limits: tuple[tuple[str, Any], ...] = ()
    settles: bool = True
    per_account: int = 60


_SERVER = (("software", "mastodon"), ("visible_seconds", VISIBLE_SECONDS))
KINDS = (
    Kind("repeatable", "mastodon", 0, (*_SERVER, ("honours_key", True))),
    Kind("record key", "bluesky"),
    Kind("search", "mastodon", 1, (*_SERVER, ("honours_key", False))),
    Kind("status", "instagram", per_account=15),
    Kind("nobody knows", "telegram", settles=False),
)


def kinds_of(given: argparse.Namespace) -> Sequence[Kind]:
    return [kind for kind in KINDS if kind.name not in given.without]


def accounts_of(kind: Kind, share: int) -> int:
    """How many accounts a share of the deliveries is spread over."""
    return max(3, share // kind.per_account)


def make_accounts(kind: Kind, ready: Sequence[Mapping[str, Any]], *, server: str) -> list[int]:
    """Rows for accounts that a sandbox made, reached at ``server``."""
    from regie.accounts.models import Account
    from regie.accounts.opening import seal_credentials
    from regie.people.models import Workspace

    places = [Workspace.objects.get_or_create(name=f"Chaos {n}", slug=f"chaos-{n}")[0] for n in range(WORKSPACES)]
    rows = Account.objects.bulk_create(
        Account(
            workspace=places[number % WORKSPACES],
            network=kind.network,
            server=server,
            remote_id=one["remote_id"],
            name=one["handle"],
            handle=one["handle"],
            limits=dict(kind.limits) or one.get("limits") or {},
        )
        for number, one in enumerate(ready)
    )
    for row, one in zip(rows, ready, strict=True):
        seal_credentials(row, one["credentials"])
    Account.objects.bulk_update(rows, ["sealed_credentials"])
    return [row.pk for row in rows]


def promise(given: argparse.Namespace, accounts: Mapping[str, Sequence[int]], dice: random.Random) -> None:
    """All deliveries, due at moments of the bad time. Each part's words end in a mark of its own: ``[d12.0]``;
    twins have one together."""
    from django.utils import timezone

    from regie.accounts.models import Account

    begins = timezone.now() + timedelta(seconds=2)
    rows = Account.objects.select_related("workspace").in_bulk()
    pictures = _pictures([*{row.workspace_id: row for row in rows.values()}.values()])
    wishes, kinds = [], kinds_of(given)
    for number in range(given.deliveries):
        kind = kinds[number % len(kinds)]
        row = rows[dice.choice(accounts[kind.name])]
        due = begins + timedelta(seconds=dice.random() * given.minutes * 60 * 0.9)
        wishes.append((row, due, _content(number, row, dice, pictures[row.workspace_id])))
        if dice.random() < TWINS and len(wishes) > len(kinds):
            row, _, content = wishes[-1 - len(kinds)]
            wishes[-1] = (row, due, content)
    _save(wishes)


def _content(number: int, account: Any, dice: random.Random, picture: int) -> dict[str, Any]:
    from regie.accounts.opening import capabilities_of

    can = capabilities_of(account)
    parts = 3 if can.thread > 2 and dice.random() < THREADS else 1
    texts = [
        f"Delivery  {number}, part {part}: https://www.example.org/{number}/ [d{number}.{part}]"
        for part in range(parts)
    ]
    pictured = can.media_required or (can.images is not None and dice.random() < PICTURES)
    media = [{"file": picture, "alt": "A colour"}] if pictured else []
    return {"parts": [{"text": text, "media": media if not part else []} for part, text in enumerate(texts)]}


def _pictures(accounts: Sequence[Any]) -> dict[int, int]:
    """One picture for each workspace."""
    from regie.media.services import upload
    from regie.people.models import Member, User

    user = User.objects.create_user("chaos@example.org", name="Chaos")
    made = {}
    for account in accounts:
        by = Member.objects.create(workspace=account.workspace, user=user, role="owner")
        source = io.BytesIO(picture())
        made[account.workspace_id] = upload(workspace=account.workspace, name="teal.jpg", source=source, by=by).pk
    return made


def picture() -> bytes:
    """A small JPEG."""
    from PIL import Image

    made = io.BytesIO()
    Image.new("RGB", (640, 640), "teal").save(made, "JPEG")
    return made.getvalue()


def _save(wishes: Sequence[tuple[Any, Any, dict[str, Any]]]) -> None:
    from regie.publishing.contents import steps_of_delivery
    from regie.publishing.models import Delivery, Step
    from regie.publishing.services import prepare_at
    from regie.studio.models import Post, Variant

    posts = Post.objects.bulk_create(Post(workspace_id=row.workspace_id, content=said) for row, _, said in wishes)
    variants = Variant.objects.bulk_create(
        Variant(post=post, account=row) for post, (row, _, _) in zip(posts, wishes, strict=True)
    )
    deliveries = [
        Delivery(
            workspace_id=row.workspace_id,
            variant=variant,
            account=row,
            post_version=variant.post.version,
            local_at=due.replace(tzinfo=None),
            zone="UTC",
            due_at=due,
            next_at=due,
            late_minutes=PATIENCE_MINUTES,
        )
        for variant, (row, due, _) in zip(variants, wishes, strict=True)
    ]
    for delivery in deliveries:
        delivery.prepare_at = prepare_at(delivery)
    Delivery.objects.bulk_create(deliveries, batch_size=1000)
    Step.objects.bulk_create(
        (
            Step(delivery=delivery, position=position, content=content)
            for delivery in deliveries
            for position, content in enumerate(steps_of_delivery(delivery))
        ),
        batch_size=1000,
    )

"""A post that was edited after it was promised: its delivery says what the post says now."""

from __future__ import annotations

import uuid

from django.db import transaction

from regie.core.threads import in_thread
from regie.publishing import models
from regie.publishing.contents import steps_of
from regie.publishing.engine.database import Database, sql
from regie.publishing.engine.work import STEPS, Delivery, Speaker, delivery_of
from regie.studio.content import Content

AGAIN = sql(f"SELECT s.steps FROM (SELECT 1) one CROSS JOIN LATERAL ({STEPS} %(id)s) s")  # noqa: S608 - constants


async def follow(database: Database, speaker: Speaker, delivery: Delivery) -> bool:
    """Writes the steps anew where the post reads otherwise now, and reads them back into ``delivery``.

    False when it is no longer ours.
    """
    now = Content.model_validate(delivery.content)
    contents = steps_of(now, speaker.can, network=speaker.network, account=speaker.account_id)
    if not _reads_otherwise(delivery, contents):
        return True
    if not await in_thread(_rewrite, delivery, contents):
        return False
    (row,) = await database.rows(AGAIN, id=delivery.id)
    delivery.steps = delivery_of({**vars(delivery), "steps": row["steps"]}).steps
    return True


def _reads_otherwise(delivery: Delivery, contents: list[dict[str, object]]) -> bool:
    """What may be out already stays as it was, and is not compared."""
    if len(contents) != len(delivery.steps):
        return True
    return any(
        step.first_at is None and step.content != new for step, new in zip(delivery.steps, contents, strict=True)
    )


@transaction.atomic
def _rewrite(delivery: Delivery, contents: list[dict[str, object]]) -> bool:
    row = models.Delivery.objects.select_for_update().filter(pk=delivery.id, lease=delivery.lease).first()
    if row is None:
        return False
    row.post_version = delivery.post_version
    row.save(update_fields=["post_version"])
    kept = {step.position for step in delivery.steps if step.first_at is not None or step.is_out}
    write_anew(row, contents, kept, doubted=any(step.in_doubt and step.first_at is None for step in delivery.steps))
    return True


def write_anew(row: models.Delivery, contents: list[dict[str, object]], kept: set[int], *, doubted: bool) -> None:
    """Its steps say ``contents``, but for those that are ``kept``, by position.

    doubted: since the backup that we come from somebody may have sent it, also with these words
    """
    there = {step.position: step for step in row.steps.exclude(state=models.Step.State.DROPPED)}
    for position, content in enumerate(contents):
        step = there.pop(position, None) or models.Step(delivery=row, position=position)
        if position not in kept and step.content != content:
            step.content, step.progress, step.prepared_at, step.key = content, {}, None, uuid.uuid4()
            step.state = models.Step.State.UNCLEAR if doubted else models.Step.State.WAITING
            step.save()
    for surplus in there.values():
        if surplus.position not in kept:
            drop(surplus)


def drop(step: models.Step) -> None:
    """A part that the post no longer has. What the network ever said of it stays as proof, out of the way."""
    if step.attempts.exists():
        last = models.Step.objects.filter(delivery=step.delivery).order_by("-position")[0].position
        step.position, step.state = max(last, 1000) + 1, models.Step.State.DROPPED
        step.save()
    else:
        step.delete()

"""A post that was edited after it was promised: its delivery says what the post says now."""

from __future__ import annotations

from django.db import transaction

from regie.core.threads import in_thread
from regie.publishing import models
from regie.publishing.contents import steps_of
from regie.publishing.engine.database import Database, sql
from regie.publishing.engine.work import STEPS, Delivery, Speaker, delivery_of
from regie.studio.content import Content

AGAIN = sql(f"SELECT s.steps FROM (SELECT 1) one CROSS JOIN LATERAL ({STEPS} %(id)s) s")  # noqa: S608 - constants


async def rewrite(database: Database, speaker: Speaker, delivery: Delivery) -> bool:
    """Writes the steps anew, and reads them back into ``delivery``. False when it is no longer ours."""
    contents = steps_of(Content.model_validate(delivery.content), speaker.can)
    if not await in_thread(_rewrite, delivery, contents):
        return False
    (row,) = await database.rows(AGAIN, id=delivery.id)
    delivery.steps = delivery_of({**vars(delivery), "steps": row["steps"]}).steps
    return True


@transaction.atomic
def _rewrite(delivery: Delivery, contents: list[dict[str, object]]) -> bool:
    row = models.Delivery.objects.select_for_update().filter(pk=delivery.id, lease=delivery.lease).first()
    if row is None:
        return False
    there = {step.position: step for step in row.steps.all()}
    for position, content in enumerate(contents):
        step = there.pop(position, None) or models.Step(delivery=row, position=position)
        if step.content != content:
            step.content, step.progress, step.prepared_at, step.state = content, {}, None, models.Step.State.WAITING
            step.save()
    for surplus in there.values():  # never spoken of: only uploads that nobody saw
        surplus.attempts.all().delete()
        surplus.delete()
    return True

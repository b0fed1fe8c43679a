"""Files that were taken out of the library a while ago, and that nothing says any more: their bytes go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from django.db import connection, transaction

from regie.core import clock, store
from regie.media.models import File, Rendition

KEPT = timedelta(days=30)  # after a file was removed
AT_ONCE = 500
# Parts and edits keep what they said when their post has changed since.
STILL_SAID = """
SELECT DISTINCT (use ->> name)::bigint
FROM (
    SELECT content FROM publishing_step
    UNION ALL SELECT before FROM publishing_edit UNION ALL SELECT content FROM publishing_edit
) said, jsonb_array_elements(said.content -> 'media') use, unnest(ARRAY['file', 'cover', 'captions']) name
WHERE (use ->> name)::bigint = ANY(%s)
"""


def forget_removed_files() -> int:
    """Deletes files removed more than a month ago that no post, no part that was or will be sent and no edit names.

    Their rows, their renditions and the bytes of all, in the folder or the bucket. Returns how many files.
    """
    old = File.objects.filter(removed_at__lt=clock.now() - KEPT, posts=None).exclude(
        renditions__state__in=[Rendition.State.WAITING, Rendition.State.MAKING]
    )
    numbers = list(old.order_by("pk").values_list("pk", flat=True))
    return sum(_forget(numbers[at : at + AT_ONCE]) for at in range(0, len(numbers), AT_ONCE))


@transaction.atomic
def _forget(numbers: Sequence[int]) -> int:
    """The rows go first: bytes that nothing refers to do no harm, a row without its bytes does."""
    rows = File.objects.select_for_update().filter(pk__in=numbers, removed_at__lt=clock.now() - KEPT)
    held = list(rows.order_by("pk"))  # whoever wants one of them in a post now waits until it is gone
    said = _still_said(numbers)
    gone = File.objects.filter(pk__in=[row.pk for row in held if row.pk not in said], posts=None)
    made = Rendition.objects.filter(original__in=gone)
    stored = [kept for row in gone for kept in (row.file, row.thumbnail)] + [one.file for one in made]
    files = len(gone)
    for kept in stored:
        if kept:
            transaction.on_commit(partial(store.forget, kept.storage, str(kept.name)), robust=True)
    File.objects.filter(pk__in=[row.pk for row in gone]).delete()
    return files


def _still_said(numbers: Sequence[int]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(STILL_SAID, [list(numbers)])
        return {row[0] for row in cursor.fetchall()}

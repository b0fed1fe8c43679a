"""The table of transitions: the database holds everybody to it, and the docs draw it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import IntegrityError, connection, transaction

from regie.accounts.models import Account
from regie.publishing.diagram import mermaid
from regie.publishing.models import Delivery
from regie.publishing.states import BEGINNINGS, FOLLOWS, State
from regie.studio.models import Post

if TYPE_CHECKING:
    from tests.conftest import Clock

DECISION = Path(__file__).parents[2] / "docs" / "decisions" / "0002-publishing-engine.md"


@pytest.fixture
def row(
    clock: Clock,
    make_account: Callable[..., Account],
    write_post: Callable[..., Post],
    promise: Callable[..., Delivery],
) -> Delivery:
    return promise(write_post("Good morning", on=[make_account()]))


def put(row: Delivery, state: str) -> None:
    """Into any state, without asking: the guard is asleep."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        Delivery.objects.filter(pk=row.pk).update(state=state, **_fields(state))
        cursor.execute("SET LOCAL session_replication_role = origin")


def _fields(state: str) -> dict[str, Any]:
    return {"holds": ["frozen"] if state == "held" else [], "remote_id": "7" if state == "published" else ""}


def by_update(row: Delivery, new: str) -> None:
    Delivery.objects.filter(pk=row.pk).update(state=new, **_fields(new))


def by_save(row: Delivery, new: str) -> None:
    row.refresh_from_db()
    row.state = new
    for name, value in _fields(new).items():
        setattr(row, name, value)
    row.save()


def by_sql(row: Delivery, new: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE publishing_delivery SET state = %s, holds = %s::varchar[], remote_id = %s WHERE id = %s",
            [new, *_fields(new).values(), row.pk],
        )


@pytest.mark.django_db
@pytest.mark.parametrize("try_it", [by_update, by_save, by_sql])
def test_the_database_allows_what_the_table_allows_and_refuses_all_else(
    row: Delivery, try_it: Callable[[Delivery, str], None]
) -> None:
    for old, new in itertools.permutations(State.values, 2):
        with transaction.atomic():
            put(row, old)
            allowed = State(new) in FOLLOWS[State(old)]
            try:
                with transaction.atomic():
                    try_it(row, new)
                done = True
            except IntegrityError:
                done = False
            assert done == allowed, f"{old} > {new}"


@pytest.mark.django_db
@pytest.mark.parametrize("state", State.values)
def test_a_delivery_begins_only_as_the_table_says(row: Delivery, state: str, clock: Clock) -> None:
    row.pk, row.state = None, state
    row.local_at = row.local_at.replace(hour=23)
    for name, value in _fields(state).items():
        setattr(row, name, value)
    if State(state) in BEGINNINGS:
        row.save(force_insert=True)
    else:
        with pytest.raises(IntegrityError, match="cannot begin"):
            row.save(force_insert=True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [{"state": "held", "holds": []}, {"holds": ["frozen"]}, {"next_at": "2000-01-01T00:00:00Z"}],
    ids=["held without a reason", "a reason without being held", "before its due time"],
)
def test_the_database_refuses_what_makes_no_sense(row: Delivery, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        Delivery.objects.filter(pk=row.pk).update(**wrong)


def test_every_state_can_be_reached() -> None:
    assert {new for news in FOLLOWS.values() for new in news} | BEGINNINGS == set(State)


def test_the_diagram_in_the_docs_is_the_table() -> None:
    assert mermaid() in DECISION.read_text()

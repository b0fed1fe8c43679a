"""Changing what is out: asking for it, what became of it, and what a person saw there."""

from __future__ import annotations

from datetime import datetime

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop as _
from ninja import Router, Status
from pydantic import BaseModel, Field

from regie.api.errors import COMMON
from regie.api.once import Key, once
from regie.api.shapes import LARGEST, Given, Number
from regie.api.tokens import ApiRequest
from regie.publishing import editing, queries
from regie.publishing.models import Delivery, Edit

router = Router(tags=["deliveries"])


class EditIn(Given):
    text: str = Field(max_length=65_000)
    options: dict[str, str | list[str]] = Field(
        default_factory=dict,
        description="Those that can be changed beside the text: see ``options`` of the edits of a delivery. What is "
        "not named stays.",
    )
    part: int = Field(0, ge=0, le=100, description="Of a thread, from 0; a first comment is the last.")
    seen: int = Field(
        0,
        ge=0,
        le=LARGEST,
        description="The newest edit of the part that had ended when the program read it; a newer one is a 409, and so "
        "is one that is still under way.",
    )


class EditOut(BaseModel):
    id: int
    delivery: int
    part: int
    number: int = Field(description="From 1 for each part. Once it has ended, to be sent back as ``seen``.")
    state: str = Field(description="waiting, asking, done, unclear or refused")
    asks_a_person: bool = Field(description="Nobody knows whether it was done: look there, then settle it.")
    before: str = Field(description="The text until then.")
    text: str
    by: int | None
    asked_at: datetime
    ended_at: datetime | None
    problem: str = Field(description="A sentence for people, empty when all is well.")


class EditsOut(BaseModel):
    why_not: str = Field(description="Why what is out cannot be changed now; empty when it can.")
    options: list[str] = Field(description="What can be changed beside the text of the first part.")
    edits: list[EditOut] = Field(description="By part, the oldest first.")


class SettleIn(Given):
    there: bool = Field(description="True: it says the new text; false: it says the old one.")


def edit_out(row: Edit) -> EditOut:
    return EditOut(
        id=row.pk,
        delivery=row.step.delivery_id,
        part=row.step.position,
        number=row.number,
        state=row.state,
        asks_a_person=row.asks_a_person,
        before=row.before.get("text", ""),
        text=row.content.get("text", ""),
        by=row.by_id,
        asked_at=row.asked_at,
        ended_at=row.ended_at,
        problem=editing.problem_of(row),
    )


def _delivery(request: ApiRequest, pk: int) -> Delivery:
    return get_object_or_404(queries.deliveries_for(request.auth.scope), pk=pk)


@router.get("/deliveries/{pk}/edits", response={200: EditsOut, **COMMON}, summary=_("What was changed once it was out"))
def edits(request: ApiRequest, pk: Number) -> EditsOut:
    """Each with who asked for it, when, and what became of it."""
    row = _delivery(request, pk)
    first = next((step for step in editing.parts_of(row) if step.position == 0), None)
    rows = Edit.objects.filter(step__delivery=row).select_related("step").order_by("step__position", "number")
    return EditsOut(
        why_not=editing.why_not(row) or "",
        options=[one.name for one in editing.options_of(first, row.account)] if first is not None else [],
        edits=[edit_out(one) for one in rows],
    )


@router.post("/deliveries/{pk}/edit", response={200: EditOut, **COMMON}, summary=_("Change what is published"))
def edit(request: ApiRequest, pk: Number, given: EditIn, key: Key = "") -> Status[EditOut]:
    """Where its network lets us. A worker tells it within seconds; ask the edits of the delivery what became of it."""

    def do() -> EditOut:
        made = editing.edit(
            _delivery(request, pk),
            text=given.text,
            options=given.options,
            by=request.auth.member,
            seen=given.seen,
            part=given.part,
        )
        return edit_out(made)

    return once(request, key, EditOut, do)


@router.post("/edits/{pk}/settle", response={200: EditOut, **COMMON}, summary=_("Say whether an edit was done"))
def settle(request: ApiRequest, pk: Number, given: SettleIn) -> EditOut:
    """Of one that asks a person."""
    deliveries = queries.deliveries_for(request.auth.scope)
    row = get_object_or_404(Edit.objects.filter(step__delivery__in=deliveries), pk=pk)
    return edit_out(editing.settle(row, there=given.there, by=request.auth.member))

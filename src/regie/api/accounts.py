"""The accounts of the workspace, with what each can do as data."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop as _
from ninja import Query, Router
from pydantic import BaseModel, Field

from regie.accounts.budgets import Standing, standing
from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.accounts.queries import accounts_for
from regie.api.errors import COMMON, NetworkAway
from regie.api.shapes import Moment, Number, Page, Pages, page_of
from regie.api.tokens import ApiRequest
from regie.core import clock
from regie.core.sentences import in_words
from regie.networks.capabilities import Format, Option, OptionKind
from regie.publishing.room import room_at
from regie.studio.choices import ask, known
from regie.studio.options import label_of, option_of

router = Router(tags=["accounts"])


class AccountOut(BaseModel):
    id: int
    network: str
    server: str
    name: str
    handle: str
    url: str
    kind: str
    state: str = Field(description="connected, paused, broken (needs reconnecting)")
    problem: str
    checked_at: datetime | None


class QuotaOut(BaseModel):
    name: str
    left: int = Field(description="Posts that the network still takes in this window.")
    most: int
    seconds: float = Field(description="How long the window is. It rolls.")
    resets_at: datetime | None = Field(description="When all of it comes back, if the network said so.")


class RoomOut(BaseModel):
    counted: bool = Field(description="Whether this account's network counts posts by the day at all.")
    left: int | None = Field(description="Posts that fit in the window that ends at that moment.")
    most: int | None
    free_at: datetime | None = Field(description="The first moment from there on that takes one more post.")


class ChoiceOut(BaseModel):
    value: str = Field(description="What goes into a post's options.")
    label: str = Field(description="What people read.")


class LinkOut(BaseModel):
    words: str = Field(description="Words of the label.")
    url: str


class OptionOut(BaseModel):
    """One thing that a post may or must say there beside its text: ``Content.options``."""

    name: str
    kind: OptionKind = Field(
        description="line, link: a text; tags: a list of texts; choice: a value; switch: a bool; moment: a day and an "
        "hour by the clock of the place, 2030-03-01T18:00."
    )
    label: str
    help: str
    required: bool
    longest: int | None = Field(description="Of a text or of one tag, as its network counts (counting).")
    counting: str
    total: int | None = Field(description="Of all tags together, with a comma between them.")
    most: int | None = Field(description="Tags.")
    choices: list[ChoiceOut]
    asked: bool = Field(description="The network knows the choices: GET /accounts/{id}/options/{name}/choices.")
    searched: bool = Field(description="The network finds choices by words: the same address, with them in words.")
    after: str = Field(description="The option that has to be chosen first.")
    default: str | bool
    formats: list[Format]
    only_with: str = Field(description="picture or video: only with such a file; empty: with anything.")
    within: str = Field(description="The switch that it belongs under: chosen, it counts as switched on.")
    closed: str = Field(description="Why this account cannot use it now; empty: it can.")
    links: list[LinkOut] = Field(description="Pages that words of the label lead to.")


class Choices(BaseModel):
    choices: list[ChoiceOut]


class AccountWhole(AccountOut):
    options: list[OptionOut] = Field(description="What a post may say there beside its text.")
    quotas: list[QuotaOut] = Field(description="What its network still takes, the longest window first.")
    capabilities: dict[str, Any] = Field(
        description="Limits, formats, what can be read and answered. Times in seconds."
    )


def account_out(account: Account) -> AccountOut:
    return AccountOut(**_facts(account))


def _facts(account: Account) -> dict[str, Any]:
    names = ("network", "server", "name", "handle", "url", "kind", "state", "checked_at")
    return {
        "id": account.pk,
        "problem": in_words(account.problem, account.problem_facts),
        **{name: getattr(account, name) for name in names},
    }


def as_data(thing: Any) -> Any:
    """A declaration as JSON: sets sorted, durations in seconds, what it is named when it is one of several kinds."""
    if is_dataclass(thing) and not isinstance(thing, type):
        return {"is": type(thing).__name__} | {
            f.name.rstrip("_"): as_data(getattr(thing, f.name)) for f in fields(thing)
        }
    if isinstance(thing, timedelta):
        return thing.total_seconds()
    if isinstance(thing, (set, frozenset)):
        return sorted(str(one) for one in thing)
    if isinstance(thing, (list, tuple)):
        return [as_data(one) for one in thing]
    return thing


@router.get("/accounts", response={200: Page[AccountOut], **COMMON}, summary=_("List the accounts"))
def accounts(request: ApiRequest, paging: Pages) -> Page[AccountOut]:
    """Those connected to the workspace, paused and broken ones too; removed ones are left out."""
    rows, more = page_of(accounts_for(request.auth.scope).order_by("pk"), paging)
    return Page(items=[account_out(row) for row in rows], page=paging.page, more=more)


@router.get("/accounts/{pk}", response={200: AccountWhole, **COMMON}, summary=_("One account and what it can do"))
def account(request: ApiRequest, pk: Number) -> AccountWhole:
    """With its capabilities: what the network, and this account's own server, take and offer."""
    found = get_object_or_404(accounts_for(request.auth.scope), pk=pk)
    return AccountWhole(
        **_facts(found),
        quotas=[_quota(one) for one in standing(found)],
        options=[_option(one) for one in capabilities_of(found).options],
        capabilities=as_data(capabilities_of(found)),
    )


def _option(one: Option) -> OptionOut:
    names = "name kind required longest total most asked searched after default only_with within".split()
    return OptionOut(
        **{name: getattr(one, name) for name in names},
        label=label_of(one),
        closed=in_words(one.closed),
        links=[LinkOut(words=in_words(link.words), url=link.url) for link in one.links],
        help=in_words(one.help),
        counting=str(one.counting),
        choices=[ChoiceOut(value=choice.value, label=in_words(choice.label)) for choice in one.choices],
        formats=list(one.formats),
    )


@router.get(
    "/accounts/{pk}/options/{name}/choices",
    response={200: Choices, **COMMON},
    summary=_("What an account may choose for an option"),
)
def option_choices(
    request: ApiRequest,
    pk: Number,
    name: str,
    chosen: Annotated[str, Query(max_length=300)] = "",
    words: Annotated[str, Query(max_length=100)] = "",
) -> Choices:
    """Asks the network where only it knows (boards, playlists). ``chosen``: the value of the option named in ``after``;
    ``words``: part of a name, for an option that is ``searched`` (products, places). Without them it finds nothing.

    503 with the reason when the network does not say.
    """
    found = get_object_or_404(accounts_for(request.auth.scope), pk=pk)
    request.auth.member.must("write")
    option = option_of(found, name)
    if not option.theirs or (option.searched and not words.strip()):
        return Choices(choices=_option(option).choices)
    before = {option.after: chosen} if option.after and chosen else {}
    there = known(found, option, before, words.strip())
    if there.choices is None:
        there = ask(found, option, before, words.strip())
    if there.choices is None:
        raise NetworkAway(there.problem)
    return Choices(choices=[ChoiceOut(value=one.value, label=one.label) for one in there.choices])


def _quota(one: Standing) -> QuotaOut:
    return QuotaOut(
        name=one.name, left=one.calls, most=one.most_calls, seconds=one.per.total_seconds(), resets_at=one.resets_at
    )


@router.get("/accounts/{pk}/room", response={200: RoomOut, **COMMON}, summary=_("What an account takes at a time"))
def room(request: ApiRequest, pk: Number, at: Moment | None = None) -> RoomOut:
    """Before planning: how many posts fit at ``at`` (empty: now), and otherwise when the next one does."""
    found = get_object_or_404(accounts_for(request.auth.scope), pk=pk)
    there = room_at(found, at or clock.now())
    if there is None:
        return RoomOut(counted=False, left=None, most=None, free_at=None)
    return RoomOut(counted=True, left=there.left, most=there.most, free_at=there.free_at)

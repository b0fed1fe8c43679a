"""Pages of numbers: all accounts, one account, and the same as a table to take away."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.core.sentences import in_words
from regie.measure import charts, queries
from regie.measure.elsewhere import listing_networks
from regie.measure.forms import PeriodForm
from regie.measure.models import Collection
from regie.measure.queries import AccountNumbers, Period
from regie.measure.words import CHANGE, PUBLISHED, REACTIONS, WORDS
from regie.networks import registry
from regie.people.scope import MemberRequest

PER_PAGE = 50
BEST = 10
SHOWN_ELSEWHERE = 25  # the newest of the period
MOST_LINES = 6  # of one chart: more cannot be told apart
PERIODS = (7, 30, 90, 365)


def _period(request: MemberRequest) -> Period:
    return queries.period_of(request.GET.get("since", ""), request.GET.get("until", ""), zone=request.user.zone)


def _accounts(request: MemberRequest) -> Any:
    found = queries.accounts_measured(request.scope)
    if search := request.GET.get("q", "").strip():
        found = found.filter(Q(name__icontains=search) | Q(handle__icontains=search) | Q(network__icontains=search))
    return found


def _period_context(request: MemberRequest, period: Period) -> dict[str, Any]:
    """The form and the usual periods as tabs; the rest of the URL is kept."""
    kept = {name: value for name, value in request.GET.items() if name not in ("since", "until", "page")}
    tabs = []
    for days in PERIODS:
        since = period.until - timedelta(days=days - 1)
        query = {**kept, "since": since.isoformat(), "until": period.until.isoformat()}
        label = ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
        tabs.append({"label": label, "url": f"?{urlencode(query)}", "current": days == period.days, "count": None})
    form = PeriodForm({**kept, "since": period.since.isoformat(), "until": period.until.isoformat()})
    return {"form": form, "tabs": tabs, "period": period, "csv_query": urlencode({**request.GET.dict(), "as": "csv"})}


@login_required
@require_safe
def overview(request: MemberRequest) -> HttpResponse:
    """Followers now, their change, what was published and how people reacted, account by account."""
    period = _period(request)
    if request.GET.get("as") == "csv":
        return _accounts_csv(queries.overview(list(_accounts(request)), period), period)
    page = Paginator(_accounts(request), PER_PAGE).get_page(request.GET.get("page"))
    rows = queries.overview(list(page), period)
    every = list(_accounts(request)) if page.paginator.num_pages > 1 else list(page)
    return render(
        request,
        "measure/overview.html",
        {
            **_period_context(request, period),
            "page": page,
            "rows": [_row(numbers) for numbers in rows],
            "chart": charts.followers(_lines(rows)) if len(rows) <= MOST_LINES and _has_line(rows) else None,
            "best": [_post(row) for row in queries.posts_of(every, period)[:BEST] if row.reactions is not None],
            "scope_may_connect": request.scope.may("connect"),
            "searched": request.GET.get("q", "").strip(),
            "change": CHANGE,
            "published": PUBLISHED,
            "reactions": REACTIONS,
        },
    )


def _row(numbers: AccountNumbers) -> dict[str, Any]:
    return {"numbers": numbers, "account": numbers.account, "network": _network(numbers.account)}


def _network(account: Account) -> str:
    return registry.connector(account.network).name


def _lines(rows: Sequence[AccountNumbers]) -> dict[str, Any]:
    """Name -> days; two accounts of one name are told apart by their network."""
    names = [row.account.name for row in rows]
    return {
        row.account.name
        if names.count(row.account.name) == 1
        else f"{row.account.name} · {_network(row.account)} {row.account.handle}": row.days
        for row in rows
    }


def _has_line(rows: Iterable[AccountNumbers]) -> bool:
    return any(row.change is not None for row in rows)


def _post(row: Collection) -> dict[str, Any]:
    """A post in a table: its numbers as last read."""
    account = row.delivery.account
    metrics = [name for name in capabilities_of(account).post_metrics if name != "votes" or "votes" in row.latest]
    return {
        "delivery": row.delivery,
        "account": account,
        "network": _network(account),
        "title": str(row.delivery.variant.post) or _("Without text"),
        "published_at": row.published_at,
        "reactions": row.reactions,
        "numbers": queries.last_numbers(row.latest, metrics),
        "gone_at": row.delivery.gone_at,
    }


@login_required
@require_safe
def account(request: MemberRequest, pk: int) -> HttpResponse:
    """One account: its own numbers over time, and its posts of the period."""
    found = get_object_or_404(queries.accounts_measured(request.scope), pk=pk)
    period = _period(request)
    posts = queries.posts_of([found], period)
    if request.GET.get("as") == "csv":
        return _posts_csv(posts, period)
    page = Paginator(posts, PER_PAGE).get_page(request.GET.get("page"))
    (numbers,) = queries.overview([found], period)
    return render(
        request,
        "measure/account.html",
        {
            **_period_context(request, period),
            **_row(numbers),
            "own": queries.last_numbers(queries.latest_of(found), capabilities_of(found).account_metrics),
            "chart": charts.followers({found.name: numbers.days}) if _has_line([numbers]) else None,
            "chart_summary": charts.summary_of_followers(numbers.days),
            "page": page,
            "posts": [_post(row) for row in page],
            **_elsewhere(found, period),
            "change": CHANGE,
            "published": PUBLISHED,
            "reactions": REACTIONS,
        },
    )


def _elsewhere(account: Account, period: Period) -> dict[str, Any]:
    """What was made without us, where the network lists an account's posts, and how far that is known."""
    rows, turn = queries.elsewhere_of(account, period), getattr(account, "measuring", None)
    metrics = capabilities_of(account).post_metrics
    return {
        "lists_posts": account.network in listing_networks(),
        "elsewhere_count": rows.count(),
        "elsewhere": [
            {"row": row, "numbers": queries.last_numbers(row.latest, metrics)} for row in rows[:SHOWN_ELSEWHERE]
        ],
        "history": turn,
        "history_problem": in_words(turn.history_problem, turn.history_facts) if turn else "",
    }


def _accounts_csv(rows: Iterable[AccountNumbers], period: Period) -> HttpResponse:
    head = [
        _("Account"),
        _("Handle"),
        _("Network"),
        _("Client"),
        str(WORDS["followers"].label),
        _("Read at"),
        str(CHANGE.label),
        str(PUBLISHED.label),
        str(REACTIONS.label),
    ]
    lines = (
        [
            row.account.name,
            row.account.handle,
            _network(row.account),
            row.account.workspace.name,
            row.followers.value,
            row.followers.at.isoformat() if row.followers.at else "",
            row.change,
            row.published,
            row.reactions,
        ]
        for row in rows
    )
    return _csv("accounts", period, head, lines)


def _posts_csv(rows: Iterable[Collection], period: Period) -> HttpResponse:
    names = [name for name in WORDS if name not in ("followers", "following", "posts")]
    head = [_("Post"), _("Link"), _("Published at"), str(REACTIONS.label), *(str(WORDS[name].label) for name in names)]
    lines = (
        [
            str(row.delivery.variant.post),
            row.delivery.url,
            row.published_at.isoformat(),
            row.reactions,
            *(row.latest.get(name, [None])[0] for name in names),
        ]
        for row in rows
    )
    return _csv("posts", period, head, lines)


def _csv(name: str, period: Period, head: list[str], lines: Iterable[Sequence[object]]) -> HttpResponse:
    """For spreadsheets: UTF-8 with its mark, and nothing that a spreadsheet would run as a formula."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="regie-{name}-{period.since}-{period.until}.csv"'
    response.write("\ufeff")
    writer = csv.writer(response)
    writer.writerow(head)
    writer.writerows([_harmless(cell) for cell in line] for line in lines)
    return response


def _harmless(cell: object) -> object:
    risky = isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{cell}" if risky else cell

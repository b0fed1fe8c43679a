"""The page on which a person changes what is out, and what they say of a change that nobody knows the end of."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from regie.accounts.opening import capabilities_of
from regie.core.errors import Problem
from regie.networks.capabilities import Option, OptionKind
from regie.networks.options import Value
from regie.people.models import Member
from regie.people.scope import MemberRequest, Scope
from regie.publishing import editing, pages
from regie.publishing.contents import COMMENT
from regie.publishing.errors import EditedMeanwhile
from regie.publishing.models import Delivery, Edit, Step
from regie.studio import prices
from regie.studio.options import label_of


@login_required
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, pk: int, part: int = 0) -> HttpResponse:
    """One part that is out, as it reads now, in a form."""
    scope = _scope(request)
    delivery = get_object_or_404(pages.deliveries_seen(scope), pk=pk)
    member = scope.member_in(delivery.workspace_id)
    member.must("publish", delivery)
    step = next((one for one in editing.parts_of(delivery) if one.position == part), None)
    if step is None:
        raise Http404
    if request.method == "POST":
        return _ask(request, delivery, step, member)
    return _page(request, delivery, step)


def _ask(request: HttpRequest, delivery: Delivery, step: Step, member: Member) -> HttpResponse:
    typed, seen = request.POST.get("text", ""), _number(request.POST.get("seen", ""))
    options = {one.name: _read(one, request) for one in editing.options_of(step, delivery.account)}
    try:
        editing.edit(delivery, text=typed, options=options, by=member, seen=seen, part=step.position)
    except EditedMeanwhile as exc:
        return _page(request, delivery, step, typed=typed, chosen=options, said=exc.said)
    except Problem as exc:
        return _page(request, delivery, step, seen=seen, typed=typed, chosen=options, said=exc.said)
    messages.success(request, _("Your change is on its way to the network."))
    return redirect("publishing:delivery", delivery.pk)


def _number(word: str) -> int:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 6 else 0


def _read(option: Option, request: HttpRequest) -> Value:
    typed = request.POST.get(f"option-{option.name}", "")
    return typed.split(",") if option.kind is OptionKind.TAGS else typed


def _page(
    request: HttpRequest,
    delivery: Delivery,
    step: Step,
    *,
    seen: int | None = None,
    typed: str | None = None,
    chosen: dict[str, Value] | None = None,
    said: str = "",
) -> HttpResponse:
    """``seen``: what the person had before their eyes; None: what is shown to them now."""
    look = editing.look(step)
    can, now = capabilities_of(delivery.account), look.content.get("text", "")
    to_say = look.under_way.content if look.under_way is not None else look.content
    limit = (can.comment if COMMENT in step.content else None) or can.text
    context = {
        "delivery": delivery,
        "step": step,
        "parts": [(one, COMMENT in one.content) for one in editing.parts_of(delivery)],
        "view": pages.view_of(delivery, _scope(request).member_in(delivery.workspace_id)),
        "text": to_say.get("text", "") if typed is None else typed,
        "says_now": now if typed is not None and typed != now else "",
        "under_way": look.under_way,
        "to_say": to_say.get("text", "") if look.under_way is not None and typed is not None else "",
        "fields": [
            _field(one, (chosen or to_say.get("options", {})).get(one.name, ""))
            for one in editing.options_of(step, delivery.account)
        ],
        "seen": look.seen if seen is None else seen,
        "said": said,
        "no_edit": "" if said else editing.why_not(delivery) or "",
        "limit": limit.longest,
        "counting": str(limit.counting),
        "files": len(step.content.get("media", [])),
        "price": prices.of_words(delivery.account.network),
    }
    return render(request, "publishing/edit.html", context, status=422 if said else 200)


def _field(option: Option, value: Value) -> dict[str, Any]:
    return {
        "name": f"option-{option.name}",
        "label": label_of(option),
        "value": ", ".join(value) if isinstance(value, list) else value,
        "longest": option.longest if option.kind is not OptionKind.TAGS else None,
        "required": option.required,
        "is_tags": option.kind is OptionKind.TAGS,
    }


@login_required
@require_POST
def settle(request: HttpRequest, pk: int, verb: str) -> HttpResponse:
    """there, absent: what a person saw of a change whose end nobody knows."""
    scope = _scope(request)
    found = get_object_or_404(
        Edit.objects.filter(step__delivery__workspace__in=[seat.workspace_id for seat in scope.members]), pk=pk
    )
    if verb not in ("there", "absent"):
        raise Http404
    member = scope.member_in(found.step.delivery.workspace_id)
    editing.settle(found, there=verb == "there", by=member)
    said = _("Settled: it says so now.") if verb == "there" else _("Settled: it says what it said before.")
    messages.success(request, said)
    return redirect("publishing:delivery", found.step.delivery_id)


def _scope(request: HttpRequest) -> Scope:
    return cast(MemberRequest, request).scope

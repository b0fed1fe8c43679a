"""The inbox: a list that narrows, the conversation beside it, and what a member does with a message."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.contrib import messages as notes
from django.contrib.auth.decorators import login_required
from django.core.files.storage import default_storage
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from regie.accounts.hooks import brings_for_app, verify_token
from regie.accounts.models import Account
from regie.accounts.queries import accounts_for
from regie.community import moderating, queries, services, webhooks
from regie.community.errors import AnsweredMeanwhile, CannotAnswer, CannotReach
from regie.community.forms import KIND, FilterForm
from regie.community.models import Answer, Inbox, Message
from regie.core import clock
from regie.core.sentences import in_words
from regie.networks import registry
from regie.networks.capabilities import MessageKind
from regie.networks.errors import Refused
from regie.people.models import Member
from regie.people.scope import MemberRequest
from regie.studio import prices

PER_PAGE = 40
MOST_COUNTED = 10_000  # counting a million takes longer than anybody's patience
MOST_AT_ONCE = 200


class _Pages(Paginator):  # type: ignore[type-arg]  # Django has no such brackets
    """Counts so far and no further: what is older is found by narrowing the list."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        return rows.order_by()[:MOST_COUNTED].count() if isinstance(rows, QuerySet) else len(rows)


@login_required
@require_safe
def inbox(request: MemberRequest) -> HttpResponse:
    return render(request, "community/inbox.html", _inbox(request))


def _inbox(request: MemberRequest, **more: Any) -> dict[str, Any]:
    form = FilterForm(request.GET, scope=request.scope)
    wanted = form.wanted()
    pages = _Pages(queries.inbox(request.scope, wanted), PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    rows = list(page)
    for row in rows:
        row.shown_state, row.kind_word = queries.shown_state(row), kind_word(row)
    chosen = _chosen(request)
    return {
        "form": form,
        "page": page,
        "rows": rows,
        "may_answer": request.scope.may("answer"),
        "may_connect": request.scope.may("connect"),
        "has_accounts": bool(rows) or accounts_for(request.scope).exists(),
        "filters": _filters(request.GET),
        "is_done_list": wanted.state == Message.State.DONE,
        "pane": _pane(request, chosen, rows) if chosen else None,
        **more,
    }


def _chosen(request: MemberRequest) -> Message | None:
    number = request.GET.get("message", "")
    if not number:
        return None
    if not number.isdigit():
        raise Http404
    return get_object_or_404(queries.messages_for(request.scope), pk=int(number))


def _filters(query: QueryDict) -> str:
    """The URL's filters without the open message."""
    kept = query.copy()
    kept.pop("message", None)
    return kept.urlencode()


def kind_word(message: Message) -> str:
    """What it is; of a review how many stars, too."""
    if isinstance(stars := message.extra.get("stars"), int):
        return ngettext("Review, %(stars)s star of 5", "Review, %(stars)s stars of 5", stars) % {"stars": stars}
    return str(KIND[MessageKind(message.kind)]) if message.kind in KIND else message.kind


def _pane(request: MemberRequest, message: Message, rows: list[Message]) -> dict[str, Any]:
    """Everything about one message: its conversation, the post above it, and what may be done."""
    member = request.scope.member_in(message.workspace_id)
    limit, offered = services.longest_answer(message), moderating.offered(message)
    delivery = message.conversation.delivery
    seen = services.newest_answer(message)  # before the lines: what is answered meanwhile stands on no page yet
    lines = _lines(message, may_delete=member.may("answer"))
    return {
        "message": message,
        "state": queries.shown_state(message),
        "kind_word": kind_word(message),
        "network": registry.connector(message.account.network).name,
        "conversation": lines,
        "is_sending": any(answer["is_sending"] for line in lines for answer in line["answers"]),
        "delivery": delivery,
        "post_text": delivery.variant.document.text if delivery else "",
        "may_answer": member.may("answer"),
        "why_not": services.why_not(message),
        "offered": offered,
        "lacking": _lacking(message, offered),
        "limit": limit.longest,
        "counting": str(limit.counting),
        "price": prices.of_words(message.account.network, with_links=message.kind != MessageKind.DIRECT),
        "seen": seen,
        "people": queries.who_can_answer([message.workspace_id]) if member.may("answer") else [],
        "next": _next_after(message, rows),
        "window_over": message.answer_until is not None and message.answer_until < clock.now(),
    }


def _lacking(message: Message, offered: dict[str, str]) -> str:
    """Why what its network has cannot be done, each reason once; empty when it is plain anyway."""
    if message.gone_at is not None or message.account.state != Account.State.CONNECTED:
        return ""
    return " ".join(dict.fromkeys(said for said in offered.values() if said))


def _lines(message: Message, *, may_delete: bool) -> list[dict[str, Any]]:
    """The conversation of a message. What waits is read before what was said, so that an answer going out meanwhile
    stands in one of the two; and an answer whose words stand there does not wait."""
    waiting = queries.waiting_answers(message)
    said = queries.conversation_of(message)
    behind = queries.answers_behind(said)
    return [
        {
            "message": word,
            "by": behind[word.remote_id].by if word.remote_id in behind else None,
            "deletable": may_delete and word.ours and moderating.why_not("delete", word) is None,
            "answers": [_answer_line(answer) for answer in waiting.get(word.pk, []) if answer not in behind.values()],
        }
        for word in said
    ]


def _answer_line(answer: Answer) -> dict[str, Any]:
    undecided = answer.state == Answer.State.UNCLEAR
    return {
        "answer": answer,
        "problem": in_words(answer.problem, answer.problem_facts),
        "looking": undecided and answer.next_at is not None,
        "ask": undecided and answer.next_at is None,
        "is_sending": answer.state == Answer.State.SENDING,
    }


def _next_after(message: Message, rows: list[Message]) -> int | None:
    """The message below this one in the list, where one goes on after being done."""
    numbers = [row.pk for row in rows]
    if message.pk not in numbers:
        return None
    at = numbers.index(message.pk)
    return next((pk for pk in (*numbers[at + 1 :], *reversed(numbers[:at]))), None)


# What a member does with one message


def _back(request: HttpRequest, message: int | None) -> HttpResponse:
    """To the list as it was narrowed, with a message open."""
    query = request.GET.copy()
    query.pop("message", None)
    if message is not None:
        query["message"] = str(message)
    address = reverse("community:inbox")
    return redirect(f"{address}?{query.urlencode()}" if query else address)


@login_required
@require_POST
def act(request: MemberRequest, pk: int, verb: str) -> HttpResponse:
    """answer, like, hide, ...: one form each in the pane. ``delete``: an answer of ours too."""
    found = queries.said_for(request.scope) if verb == "delete" else queries.messages_for(request.scope)
    message = get_object_or_404(found, pk=pk)
    by = request.scope.member_in(message.workspace_id)
    acts: dict[str, Callable[[MemberRequest, Message, Member], HttpResponse]] = {
        "answer": _answer,
        "like": _like,
        "unlike": _like,
        "hide": _hide,
        "unhide": _hide,
        "delete": _delete,
        "done": _done,
        "reopen": _reopen,
        "assign": _assign,
    }
    if verb not in acts:
        raise Http404
    return acts[verb](request, message, by)


def _answer(request: MemberRequest, message: Message, by: Member) -> HttpResponse:
    text, seen = request.POST.get("text", ""), request.POST.get("seen", "0")
    try:
        services.answer(message=message, text=text, by=by, seen=int(seen) if seen.isdigit() else 0)
    except (AnsweredMeanwhile, CannotAnswer) as exc:
        return _with_text_kept(request, message, text, exc.said)
    notes.success(request, _("Your answer is on its way."))
    return _back(request, message.pk)


def _with_text_kept(request: MemberRequest, message: Message, text: str, said: str) -> HttpResponse:
    query = request.GET.copy()
    query["message"] = str(message.pk)
    request.GET = query  # type: ignore[assignment]
    return render(request, "community/inbox.html", _inbox(request, typed=text, said=said), status=422)


def _like(request: MemberRequest, message: Message, by: Member) -> HttpResponse:
    try:
        if request.path.endswith("/unlike/"):
            services.unlike(message=message, by=by)
        else:
            services.like(message=message, by=by)
    except CannotReach as exc:
        notes.error(request, exc.said)
    return _back(request, message.pk)


def _hide(request: MemberRequest, message: Message, by: Member) -> HttpResponse:
    try:
        if request.path.endswith("/unhide/"):
            moderating.unhide(message=message, by=by)
            notes.success(request, _("Everybody can read it again."))
        else:
            moderating.hide(message=message, by=by)
            undo = reverse("community:act", args=[message.pk, "unhide"])
            notes.success(
                request, _("Hidden on the network. Only its author still sees it."), extra_tags=f"undo:{undo}"
            )
    except CannotReach as exc:
        notes.error(request, exc.said)
    return _back(request, message.pk)


def _delete(request: MemberRequest, message: Message, by: Member) -> HttpResponse:
    try:
        moderating.delete(message=message, by=by)
        notes.success(request, _("Deleted on the network."))
    except CannotReach as exc:
        notes.error(request, exc.said)
    opened = request.POST.get("message", "")  # deleting an answer of ours leaves the message open that it answers
    return _back(request, int(opened) if opened.isdigit() else message.pk)


def _done(request: MemberRequest, message: Message, by: Member) -> HttpResponse:
    services.mark_done(messages=[message], by=by)
    undo = reverse("community:act", args=[message.pk, "reopen"])
    notes.success(request, _("Done."), extra_tags=f"undo:{undo}")
    after = request.POST.get("next", "")
    return _back(request, int(after) if after.isdigit() else None)


def _reopen(request: MemberRequest, message: Message, by: Member) -> HttpResponse:
    services.reopen(messages=[message], by=by)
    return _back(request, message.pk)


def _assign(request: MemberRequest, message: Message, by: Member) -> HttpResponse:
    chosen = request.POST.get("to", "")
    people = {user.pk: user for user in queries.who_can_answer([message.workspace_id])}
    to = people.get(int(chosen)) if chosen.isdigit() else None
    services.assign(message=message, to=to, by=by)
    notes.success(
        request, _("%(name)s takes care of it.") % {"name": to} if to else _("It is nobody's in particular now.")
    )
    return _back(request, message.pk)


@login_required
@require_POST
def together(request: MemberRequest, verb: str) -> HttpResponse:
    """done, reopen: for every message that was ticked, in whatever workspaces they are."""
    numbers = [int(one) for one in request.POST.getlist("ids") or request.GET.getlist("ids") if one.isdigit()]
    acts = {"done": services.mark_done, "reopen": services.reopen}
    if verb not in acts:
        raise Http404
    changed: list[Message] = []
    found = queries.messages_for(request.scope).filter(pk__in=numbers[:MOST_AT_ONCE])
    seats: dict[int, list[Message]] = {}
    for message in found:
        seats.setdefault(message.workspace_id, []).append(message)
    for workspace, some in seats.items():
        changed += acts[verb](messages=some, by=request.scope.member_in(workspace))
    if verb == "done":
        _say_how_many(request, changed)
    return _back(_without_ids(request), None)


def _say_how_many(request: MemberRequest, changed: list[Message]) -> None:
    query = QueryDict(mutable=True)
    query.setlist("ids", [str(message.pk) for message in changed])
    undo = f"{reverse('community:together', args=['reopen'])}?{query.urlencode()}"
    said = ngettext("%(n)s message is done.", "%(n)s messages are done.", len(changed)) % {"n": len(changed)}
    notes.success(request, said, extra_tags=f"undo:{undo}" if changed else "")


def _without_ids(request: MemberRequest) -> MemberRequest:
    query = request.GET.copy()
    query.pop("ids", None)
    request.GET = query  # type: ignore[assignment]
    return request


@login_required
@require_POST
def settle(request: MemberRequest, pk: int, verb: str) -> HttpResponse:
    """again, there, drop: what a person decides about an answer that is unclear or was refused."""
    answer = get_object_or_404(queries.answers_for(request.scope), pk=pk)
    by = request.scope.member_in(answer.workspace_id)
    if verb == "again":
        services.send_again(answer=answer, by=by)
        notes.success(request, _("Your answer is on its way."))
    elif verb == "there":
        services.settle_there(answer=answer, link=request.POST.get("link", "").strip(), by=by)
    elif verb == "drop":
        services.drop(answer=answer, by=by)
    else:
        raise Http404
    return _back(request, answer.message_id)


@login_required
@require_safe
def avatar(request: MemberRequest, pk: int) -> HttpResponseBase:
    """Our own copy of the picture of somebody who spoke to the person's workspaces."""
    found = get_object_or_404(queries.avatars_for(request.scope), pk=pk)
    try:
        picture = default_storage.open(found.picture)
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(
        picture,
        content_type="image/webp",
        headers={"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"},
    )


# What a network brings


@csrf_exempt
@require_http_methods(["GET", "POST"])
def app_webhook(request: HttpRequest, network: str) -> HttpResponse:
    """One address for all accounts of an app of ours. GET: the vendor looks whether it is ours, and is echoed."""
    if network not in registry.slugs() or not brings_for_app(network):
        raise Http404
    if request.method == "GET":
        if (answer := webhooks.challenge(network, request.GET.dict())) is not None:
            return HttpResponse(answer, content_type="application/json")
        given = request.GET.get("hub.verify_token", "")
        if request.GET.get("hub.mode") != "subscribe" or not constant_time_compare(given, verify_token(network)):
            return HttpResponse(status=403)
        return HttpResponse(request.GET.get("hub.challenge", ""), content_type="text/plain")
    if int(request.headers.get("Content-Length") or 0) > webhooks.LARGEST:
        return HttpResponse(status=413)
    try:
        webhooks.take_in_for_app(network, body=request.body, headers=dict(request.headers))
    except Refused:
        return HttpResponse(status=403)
    return HttpResponse(status=200)


@csrf_exempt
@require_POST
def webhook(request: HttpRequest, network: str, token: str) -> HttpResponse:
    """Kept as it came and answered at once; the network's own sign is checked before anything is read."""
    found = get_object_or_404(Inbox, network=network, token=token)
    if network not in registry.slugs() or not webhooks.receives(network):
        raise Http404
    if int(request.headers.get("Content-Length") or 0) > webhooks.LARGEST:
        return HttpResponse(status=413)
    if (word := webhooks.confirmation(network, body=request.body, query=request.GET.dict())) is not None:
        return HttpResponse(word, content_type="text/plain")
    try:
        webhooks.take_in(found, body=request.body, headers=dict(request.headers))
    except Refused:
        return HttpResponse(status=403)
    return HttpResponse(webhooks.thanks(network), content_type="text/plain")

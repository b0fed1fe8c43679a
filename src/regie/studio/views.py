"""The pages of the studio: the list of posts and the composer. A post's own page is drawn by publishing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from regie.accounts.models import Account
from regie.accounts.opening import capabilities_of
from regie.accounts.queries import accounts_for
from regie.media.models import File
from regie.media.queries import files_for
from regie.media.queries import matching as matching_files
from regie.networks.capabilities import Option
from regie.people import lateness
from regie.people.errors import NotAllowed
from regie.people.models import Member, User, Workspace
from regie.people.scope import MemberRequest, Scope
from regie.studio import beside, campaigns, forms, posters, queries, services
from regie.studio import desk as desks
from regie.studio.beside import Field
from regie.studio.content import Content
from regie.studio.desk import Desk
from regie.studio.errors import InTheBin, Outdated
from regie.studio.models import Post
from regie.studio.options import option_of
from regie.studio.services import Given, Written
from regie.studio.signals import time_chosen

PAGE = 25


# The list


@login_required
@require_GET
def posts(request: HttpRequest) -> HttpResponse:
    scope = _scope(request)
    filters = _filters(request, scope)
    narrowed = filters.cleaned_data if filters.is_valid() else {}
    found = queries.matching(
        queries.posts_for(scope),
        text=narrowed.get("q", ""),
        state=narrowed.get("state", ""),
        account=narrowed.get("account"),
        author=narrowed.get("author"),
        campaign=narrowed.get("campaign"),
    )
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    standings = queries.standings(page.object_list)
    return render(
        request,
        "studio/posts.html",
        {
            "page": page,
            "lines": [_line(post, standings[post.pk]) for post in _with_accounts(page.object_list)],
            "filters": filters,
            "active": _active(request, filters, narrowed),
            "can_write": scope.may("write"),
            "campaigns": campaigns.choices(scope) if scope.may("write") and not scope.all else [],
            "anything": bool(page.object_list) or queries.posts_for(scope).exists(),
        },
    )


def _line(post: Post, standing: queries.Standing) -> dict[str, Any]:
    accounts = [v.account for v in post.variants.all() if v.dropped_at is None]
    media = next((part.media[0].file for part in post.document.parts if part.media), None)
    return {"post": post, "standing": standing, "accounts": accounts[:4], "more": len(accounts) - 4, "picture": media}


def _with_accounts(posts: Iterable[Post]) -> Iterable[Post]:
    from django.db.models import prefetch_related_objects

    found = list(posts)
    prefetch_related_objects(found, "variants__account")
    return found


def _filters(request: HttpRequest, scope: Scope) -> forms.PostFilters:
    authors = User.objects.filter(memberships__workspace__in=scope.workspace_ids()).distinct().order_by("name")
    return forms.PostFilters(
        request.GET,
        accounts=[(account.pk, str(account)) for account in accounts_for(scope)],
        authors=[(user.pk, str(user)) for user in authors],
        campaigns=campaigns.choices(scope),
    )


def _active(request: HttpRequest, filters: forms.PostFilters, narrowed: dict[str, Any]) -> list[dict[str, str]]:
    """The filters in use, each with the address without it."""
    chips = []
    for name, value in narrowed.items():
        if value in ("", None):
            continue
        rest = request.GET.copy()
        rest.pop(name, None)
        rest.pop("page", None)
        choices = dict(getattr(filters.fields[name], "choices", []))
        chips.append({"label": str(choices.get(value, value)), "remove_url": f"?{rest.urlencode()}"})
    return chips


@login_required
@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    """Puts the chosen posts in the bin; the message takes them out again."""
    chosen = _chosen(request, queries.posts_for(_scope(request)))
    removed: list[Post] = []
    for member, theirs in _by_member(_scope(request), chosen):
        removed += services.remove(posts=theirs, by=member)
    if removed:
        undo = f"{reverse('studio:restore')}?{'&'.join(f'post={post.pk}' for post in removed)}"
        said = ngettext("{n} post is in the bin.", "{n} posts are in the bin.", len(removed)).format(n=len(removed))
        messages.success(request, said, extra_tags=f"undo:{undo}")
    return redirect("studio:posts")


@login_required
@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    numbers = {int(n) for n in request.GET.getlist("post") if n.isdigit()}
    chosen = list(queries.every_post_for(_scope(request)).filter(pk__in=numbers))
    for member, theirs in _by_member(_scope(request), chosen):
        services.restore(posts=theirs, by=member)
    messages.success(request, _("Back from the bin."))
    return redirect("studio:posts")


@login_required
@require_POST
def duplicate(request: HttpRequest, pk: int) -> HttpResponse:
    post = get_object_or_404(queries.every_post_for(_scope(request)), pk=pk)
    copy = services.duplicate(post=post, by=_scope(request).member_in(post.workspace_id))
    messages.success(request, _("This is the copy, a draft of its own."))
    return redirect("studio:edit", copy.pk)


def _chosen(request: HttpRequest, posts: Any) -> list[Post]:
    numbers = {int(n) for n in request.POST.getlist("post") if n.isdigit()}
    return list(posts.filter(pk__in=numbers))


def _by_member(scope: Scope, posts: Iterable[Post]) -> Iterable[tuple[Member, list[Post]]]:
    by_workspace: dict[int, list[Post]] = {}
    for post in posts:
        by_workspace.setdefault(post.workspace_id, []).append(post)
    for workspace, theirs in by_workspace.items():
        yield scope.member_in(workspace), theirs


# The composer


@login_required
@require_GET
def new(request: HttpRequest) -> HttpResponse:
    """An empty composer. ``at`` (2030-03-01T09:00) and ``account`` fill it; nothing is kept yet."""
    scope = _scope(request)
    if not scope.may("write"):
        raise NotAllowed("write")
    seats = [seat for seat in scope.seats if seat.may("write")]
    if scope.all and len(seats) > 1:
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return render(request, "studio/choose_workspace.html", {"seats": seats, "query": query})
    workspace = seats[0].workspace
    wanted = [int(n) for n in request.GET.getlist("account") if n.isdigit()]
    known = accounts_for(scope, "write").filter(workspace=workspace, pk__in=wanted)
    written = Written(content=Content(language=workspace.language), on={account.pk: Given() for account in known})
    return composer(request, Desk(workspace=workspace, written=written), at=request.GET.get("at", ""))


@login_required
@require_GET
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    post = get_object_or_404(queries.every_post_for(_scope(request)).filter(removed_at=None), pk=pk)
    _scope(request).member_in(post.workspace_id).must("write", post)
    desk = Desk(
        workspace=post.workspace,
        written=desks.written_from(post),
        post=post,
        version=post.version,
        shown=request.GET.get("show", "s"),
    )
    return composer(request, desk, at=request.GET.get("at", ""))


def composer(request: HttpRequest, desk: Desk, *, at: str = "", status: int = 200) -> HttpResponse:
    """The composer's page, of a post that need not be kept yet."""
    return render(request, "studio/compose.html", _context(request, desk, at=at), status=status)


def _context(request: HttpRequest, desk: Desk, *, at: str = "") -> dict[str, Any]:
    date, _t, time = at.partition("T")
    user = cast(User, request.user)
    posted = request.POST
    zone = posted.get("zone") or user.zone or desk.workspace.zone
    given = {"date": posted.get("date", date), "time": posted.get("time", time[:5]), "zone": zone}
    return {
        "desk": desk,
        "given": given,
        "late": (late := lateness.read(posted.get("late"), desk.workspace.late_minutes)),
        "late_choices": lateness.choices(late),
        "when": (when := desks.when(**given)),
        "remarks": _remarks(desk, when),
        "zones": list(dict.fromkeys([user.zone, desk.workspace.zone, zone, "UTC"])),
        "promised": desk.post is not None and queries.is_promised(desk.post),
        "out": desk.post is not None and queries.is_out(desk.post),
    }


def _remarks(desk: Desk, when: desks.When | None) -> list[tuple[str, str]]:
    """What later apps have to say of the chosen time."""
    at = when.at if when is not None and when.ok else None
    answers: list[tuple[Any, Any]] = time_chosen.send(Desk, desk=desk, at=at)
    return [remark for _receiver, said in answers for remark in said or ()]


def desk_from(request: HttpRequest) -> Desk:
    """The desk as the posted composer describes it. Raises Http404 for what is not theirs, NotAllowed."""
    data: QueryDict = request.POST
    scope = _scope(request)
    post = None
    if data.get("post"):
        post = get_object_or_404(queries.every_post_for(scope), pk=_int(data.get("post")))
    workspace = post.workspace if post else _workspace(scope, _int(data.get("workspace")))
    scope.member_in(workspace).must("write")
    return Desk(
        workspace=workspace,
        written=forms.read(data),
        post=post,
        version=_int(data.get("version")),
        shown=data.get("shown", "s"),
        preview=_int(data.get("preview")) or None,
    )


def _workspace(scope: Scope, number: int) -> Workspace:
    return scope.member_in(number).workspace


def save_desk(request: HttpRequest, desk: Desk) -> Post:
    """Keeps what the posted composer holds. Raises what ``services.save`` raises."""
    return services.save(
        post=desk.post,
        workspace=desk.workspace,
        written=desk.written,
        version=desk.version,
        by=_scope(request).member_in(desk.workspace),
    )


@login_required
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """What htmx asks while a person types: keeps the draft, and says how it stands. Answers the pieces beside the text.

    A post that is promised is not kept by itself: half a sentence must not go out.
    """
    desk = desk_from(request)
    context = _context(request, desk)
    if not context["promised"] and not (desk.post is None and desk.written.content.is_empty and not desk.written.title):
        try:
            saved = save_desk(request, desk)
        except Outdated:
            context["outdated"] = True
        except InTheBin:
            assert desk.post is not None
            desk.post.refresh_from_db()
        else:
            desk.post, desk.version = saved, saved.version
            context["saved"] = saved
    # Swapped only when another choice is offered: a key pressed meanwhile must not be taken back.
    context["new_formats"] = [
        document
        for document in desk.documents
        if request.POST.get(f"{document.key}-formats", document.offered) != document.offered
    ]
    context["new_tools"] = [
        document
        for document in desk.documents
        if request.POST.get(f"{document.key}-tools", tools := "-".join(document.tools)) != tools
    ]
    for document in desk.documents:
        same = request.POST.get(f"{document.key}-beside", document.beside) == document.beside
        context.setdefault("same_beside" if same else "new_beside", []).append(document)
        if same:
            context.setdefault("other_words", []).extend(_with_other_words(request, document))
    context["new_declarations"] = request.POST.get("declared", desk.declared) != desk.declared
    response = render(request, "studio/_side.html", context)
    if desk.post is not None and "saved" in context:
        response["HX-Replace-Url"] = reverse("studio:edit", args=[desk.post.pk])
    return response


def _with_other_words(request: HttpRequest, document: desks.Document) -> list[Field]:
    """The fields that say something else than the page does, as another option was changed; those above the button
    are drawn with it."""
    drawn = [field for field in document.fields if not field.option.last]
    return [field for field in drawn if request.POST.get(f"{field.id}-look", field.look) != field.look]


@login_required
@require_POST
def arrange(request: HttpRequest) -> HttpResponse:
    """A part more or less, a poll, a picture, an account's own text: the composer, changed."""
    desk = desk_from(request)
    picked = [int(n) for n in request.POST.getlist("pick") if n.isdigit()]
    do = request.POST.get("do", "")
    if do.startswith("choices:"):
        return _with_choices(request, desk, do)
    written, shown, focus = desks.arranged(desk.written, do, picked)
    changed = Desk(
        workspace=desk.workspace,
        written=written,
        post=desk.post,
        version=desk.version,
        shown=shown,
        preview=_int(shown[1:]) if shown != "s" else desk.wanted_preview,
        focus=focus,
    )
    template = "studio/_composer.html" if getattr(request, "htmx", False) else "studio/compose.html"
    return render(request, template, {**_context(request, changed), "arranged": True})


def _with_choices(request: HttpRequest, desk: Desk, do: str) -> HttpResponse:
    """Without a script: the composer again, with the choices that its network was asked for."""
    key, where, name = [*do.split(":"), "", "", ""][1:4]
    account, option = _asked_option(request, where, name)
    given = desk.written.on.get(account.pk)
    content = given.content if key != "s" and given is not None and given.content else desk.written.content
    can, words = capabilities_of(account), forms.words_for(request.POST, key, account.pk, name)
    field = beside.of_account(key, content, account, can, option, asks=True, words=words)
    if field.known.problem:
        messages.error(request, field.known.problem)
    desk.shown = key if key == "s" or account.pk in desk.written.on else "s"
    return render(request, "studio/compose.html", {**_context(request, desk), "arranged": True})


def _asked_option(request: HttpRequest, account: str | None, name: str) -> tuple[Account, Option]:
    """Raises Http404, NotAllowed, NoSuchOption."""
    found = get_object_or_404(accounts_for(_scope(request)), pk=_int(account))
    _scope(request).member_in(found.workspace_id).must("write")
    return found, option_of(found, name)


@login_required
@require_GET
def choices(request: HttpRequest) -> HttpResponse:
    """An option with the choices that the account's network gives now."""
    account, option = _asked_option(request, request.GET.get("account"), request.GET.get("option", ""))
    key = request.GET.get("key", "s")
    content = Content(options=forms.read_options(request.GET, key))
    can, words = capabilities_of(account), forms.words_for(request.GET, key, account.pk, option.name)
    field = beside.of_account(key, content, account, can, option, asks=True, words=words)
    return render(request, "studio/_option.html", {"field": field})


@login_required
@require_GET
def poster(request: HttpRequest) -> HttpResponse:
    """In whose name an account's post will go out, as its network says now. Other choices: the post is checked anew."""
    account = get_object_or_404(accounts_for(_scope(request)), pk=_int(request.GET.get("account")))
    _scope(request).member_in(account.workspace_id).must("write")
    standing = posters.ask(account)
    key = request.GET.get("key", "s")
    response = render(request, "studio/_poster.html", {"standing": standing, "key": key, "asked": True})
    if standing.news:
        response["HX-Trigger"] = "check"
    return response


@login_required
@require_POST
def save(request: HttpRequest) -> HttpResponse:
    """The button *Save*. When somebody was quicker, both versions are shown and one is chosen."""
    desk = desk_from(request)
    try:
        saved = save_desk(request, desk)
    except Outdated:
        return conflict(request, desk, again=reverse("studio:save"))
    except InTheBin as exc:
        return in_the_bin(request, desk, exc)
    messages.success(request, _("Saved."))
    return redirect("studio:post", saved.pk)


def in_the_bin(request: HttpRequest, desk: Desk, exc: InTheBin) -> HttpResponse:
    """The composer as it was typed, with the way out of the bin."""
    assert desk.post is not None
    desk.post.refresh_from_db()
    messages.error(request, exc.said)
    return composer(request, desk, status=409)


@login_required
@require_POST
def take_out(request: HttpRequest) -> HttpResponse:
    """Out of the bin, from the composer: what was typed stands there as before, and is not kept yet."""
    desk = desk_from(request)
    if desk.post is None:
        raise Http404
    services.restore(posts=[desk.post], by=_scope(request).member_in(desk.workspace))
    messages.success(request, _("Back from the bin. What you typed is not saved yet."))
    return composer(request, desk)


def conflict(request: HttpRequest, desk: Desk, *, again: str, plan: str = "") -> HttpResponse:
    """Theirs beside mine, and a choice; what was typed travels along in the form.

    ``again``: the address that was asked for, which keeps mine and does the rest. ``plan``: "schedule" or "publish",
    what that rest is.
    """
    assert desk.post is not None
    theirs = Desk(
        workspace=desk.workspace,
        written=desks.written_from(desk.post),
        post=desk.post,
        version=desk.post.version,
    )
    mine = [(name, value) for name, values in request.POST.lists() for value in values if name not in SET_HERE]
    context = {"mine": desk, "theirs": theirs, "fields": mine, "again": again, "plan": plan}
    return render(request, "studio/conflict.html", context, status=409)


SET_HERE = ("csrfmiddlewaretoken", "version", "do")


@login_required
@require_POST
def both(request: HttpRequest) -> HttpResponse:
    """The page that shows both versions, from the composer's notice."""
    desk = desk_from(request)
    if desk.post is None:
        raise Http404
    return conflict(request, desk, again=reverse("studio:save"))


@login_required
@require_GET
def pick(request: HttpRequest) -> HttpResponse:
    """Files of the library, to put into a part of a post; or, ``as`` "cover:7", one that goes with file 7 there."""
    scope = _scope(request)
    workspace = _workspace(scope, _int(request.GET.get("workspace")))
    files = files_for(Scope.for_member(scope.member_in(workspace)))
    found = matching_files(files, text=request.GET.get("q", ""))
    role, _colon, number = request.GET.get("as", "").partition(":")
    found = found.filter(kind=KIND_OF[role]) if role in KIND_OF else found.exclude(kind=File.Kind.CAPTIONS)
    page = Paginator(found, 24).get_page(request.GET.get("page"))
    where = request.GET.get("where", "s-0")
    do = f"{role}:{where}:{number}" if role in KIND_OF else f"media:{where}"
    return render(request, "studio/_pick.html", {"page": page, "do": do, "role": role})


KIND_OF = {"cover": File.Kind.PICTURE, "captions": File.Kind.CAPTIONS}
"""What may be chosen to go with a video or a sound."""


@login_required
@require_GET
def use(request: HttpRequest, pk: int) -> HttpResponse:
    """One picture as a part of a post holds it: what an upload from the composer is answered with."""
    file = get_object_or_404(files_for(_scope(request)), pk=pk)
    return render(
        request, "studio/_use.html", {"use": desks.Use(file, file.pk, file.alt), "key": request.GET.get("where", "s-0")}
    )


def _scope(request: HttpRequest) -> Scope:
    return cast(MemberRequest, request).scope


def _int(value: str | None) -> int:
    if value and value.isascii() and value.isdigit() and len(value) < 18:
        return int(value)
    if value in (None, ""):
        return 0
    raise Http404

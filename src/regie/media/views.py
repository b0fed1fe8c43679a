"""The library, a picture's own page, uploads, and the files themselves, served to members only."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.base import File as DjangoFile
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotModified
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from regie.core.errors import Problem
from regie.media import forms, queries, services
from regie.media.models import File
from regie.people.errors import NotAllowed
from regie.people.models import Member, Workspace
from regie.people.scope import MemberRequest, Scope

PAGE = 48


@login_required
@require_GET
def library(request: HttpRequest) -> HttpResponse:
    scope = _scope(request)
    filters = forms.FileFilters(request.GET)
    narrowed: dict[str, Any] = filters.cleaned_data if filters.is_valid() else {}
    found = queries.matching(
        queries.files_for(scope),
        text=narrowed.get("q", ""),
        kind=narrowed.get("kind", ""),
        alt=narrowed.get("alt", ""),
    )
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "filters": filters,
        "active": _active(request, filters, narrowed),
        "seats": [seat for seat in scope.seats if seat.may("write")],
        "anything": bool(page.object_list) or queries.files_for(scope).exists(),
    }
    return render(request, "media/library.html", context)


def _active(request: HttpRequest, filters: forms.FileFilters, narrowed: dict[str, Any]) -> list[dict[str, str]]:
    chips = []
    for name, value in narrowed.items():
        if not value:
            continue
        rest = request.GET.copy()
        rest.pop(name, None)
        rest.pop("page", None)
        label = dict(getattr(filters.fields[name], "choices", [])).get(value, value)
        chips.append({"label": f"{filters.fields[name].label}: {label}", "remove_url": f"?{rest.urlencode()}"})
    return chips


@login_required
@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """One picture or several. A script gets the new piece of page, or the sentence with 422; a form comes back here."""
    member = _uploader(request)
    member.must("write")
    kept: list[File] = []
    refused: list[str] = []
    for sent in request.FILES.getlist("file"):
        try:
            kept.append(
                services.upload(workspace=member.workspace, name=sent.name or "", source=cast(Any, sent), by=member)
            )
        except Problem as problem:
            refused.append(f"{sent.name}: {problem.said}")
    if getattr(request, "htmx", False):
        return _answer(request, kept, refused)
    for said in refused:
        messages.error(request, said)
    if kept:
        said = ngettext("{n} picture uploaded.", "{n} pictures uploaded.", len(kept)).format(n=len(kept))
        messages.success(request, said)
    elif not refused:
        messages.warning(request, _("Choose at least one picture."))
    return redirect("media:library")


def _answer(request: HttpRequest, kept: list[File], refused: list[str]) -> HttpResponse:
    if refused or not kept:
        return HttpResponse(
            " ".join(refused) or _("Choose at least one picture."), status=422, content_type="text/plain"
        )
    where = request.GET.get("where", "")
    if where:  # the composer draws pictures its own way
        return redirect(f"{reverse('studio:use', args=[kept[0].pk])}?where={where}")
    return render(request, "media/_files.html", {"files": kept, "can_write": True})


def _uploader(request: HttpRequest) -> Member:
    """The seat for which the upload is: the current one, or that of the workspace named."""
    scope = _scope(request)
    named = request.GET.get("workspace") or request.POST.get("workspace") or ""
    if named.isdigit():
        return scope.member_in(int(named))
    seats = [seat for seat in scope.seats if seat.may("write")]
    if not seats:
        raise NotAllowed("write")
    return seats[0]


@login_required
@require_http_methods(["GET", "POST"])
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """A picture's page: what it shows, its point that matters, where it is used."""
    found = get_object_or_404(queries.files_for(_scope(request)), pk=pk)
    member = _scope(request).member_in(found.workspace_id)
    now = {name: getattr(found, name) for name in ("alt", "name", "focus_x", "focus_y")}
    form = forms.DescribeForm(request.POST or None, initial=now)
    if request.method == "POST":
        member.must("write", found)
        if form.is_valid():
            given = form.cleaned_data
            services.describe(
                file=found,
                alt=given["alt"],
                name=given["name"],
                focus=(given["focus_x"], given["focus_y"]),
                by=member,
            )
            messages.success(request, _("Saved."))
            return redirect("media:file", found.pk)
    posts = found.posts.filter(removed_at=None)[:20]
    return render(
        request, "media/file.html", {"file": found, "form": form, "posts": posts, "can_write": member.may("write")}
    )


@login_required
@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    numbers = {int(n) for n in request.POST.getlist("file") if n.isdigit()}
    removed: list[File] = []
    for member, files in _by_member(_scope(request), queries.files_for(_scope(request)).filter(pk__in=numbers)):
        removed += services.remove(files=files, by=member)
    if removed:
        undo = f"{reverse('media:restore')}?{'&'.join(f'file={one.pk}' for one in removed)}"
        said = ngettext("{n} picture removed.", "{n} pictures removed.", len(removed)).format(n=len(removed))
        messages.success(request, said, extra_tags=f"undo:{undo}")
    return redirect("media:library")


@login_required
@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    numbers = {int(n) for n in request.GET.getlist("file") if n.isdigit()}
    for member, files in _by_member(_scope(request), queries.every_file_for(_scope(request)).filter(pk__in=numbers)):
        services.restore(files=files, by=member)
    messages.success(request, _("The pictures are back."))
    return redirect("media:library")


def _by_member(scope: Scope, files: Any) -> list[tuple[Member, list[File]]]:
    by_workspace: dict[Workspace | int, list[File]] = {}
    for one in files:
        by_workspace.setdefault(one.workspace_id, []).append(one)
    return [(scope.member_in(workspace), theirs) for workspace, theirs in by_workspace.items()]


# The files themselves. Their addresses carry the hash, so what a browser has kept never goes stale.


@login_required
@require_GET
def thumbnail(request: HttpRequest, pk: int, sha: str) -> HttpResponseBase:
    found = _seen(request, pk, sha)
    return _served(request, found, found.thumbnail, "image/webp", "t")


@login_required
@require_GET
def shown(request: HttpRequest, pk: int, sha: str) -> HttpResponseBase:
    """The picture large enough for a page, upright and without its place."""
    found = _seen(request, pk, sha)
    if _has(request, found, "s"):
        return HttpResponseNotModified()
    rendition = services.rendition_for(found, services.SHOWN)
    return _served(request, found, rendition.file, rendition.content_type, "s")


@login_required
@require_GET
def original(request: HttpRequest, pk: int, sha: str) -> HttpResponseBase:
    """The file as it was uploaded, to keep."""
    found = _seen(request, pk, sha)
    response = _served(request, found, found.file, found.content_type, "o")
    response["Content-Disposition"] = (
        f'attachment; filename="{found.sha256[:12]}.{str(found.file.name).rpartition(".")[2]}"'
    )
    return response


def _seen(request: HttpRequest, pk: int, sha: str) -> File:
    return get_object_or_404(queries.every_file_for(_scope(request)), pk=pk, sha256=sha)


def _has(request: HttpRequest, found: File, kind: str) -> bool:
    return request.headers.get("If-None-Match") == _tag(found, kind)


def _tag(found: File, kind: str) -> str:
    return f'"{found.sha256[:24]}{kind}"'


def _served(request: HttpRequest, found: File, stored: Any, content_type: str, kind: str) -> HttpResponseBase:
    if _has(request, found, kind):
        return HttpResponseNotModified()
    try:
        opened: DjangoFile[bytes] = stored.open("rb")
    except (FileNotFoundError, ValueError):
        raise Http404 from None
    response = FileResponse(opened, content_type=content_type)
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["ETag"] = _tag(found, kind)
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _scope(request: HttpRequest) -> Scope:
    return cast(MemberRequest, request).scope

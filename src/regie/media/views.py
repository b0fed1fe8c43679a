"""The library, a file's own page, uploads whole or in pieces, and the files themselves, served to members only."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
    JsonResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from regie.core.errors import Problem
from regie.media import arriving, captions, forms, making, queries, services
from regie.media.models import File, Rendition, Upload
from regie.media.serving import served
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
    """One file or several. A script gets the new piece of page, or the sentence with 422; a form comes back here."""
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
        said = ngettext("{n} file uploaded.", "{n} files uploaded.", len(kept)).format(n=len(kept))
        messages.success(request, said)
    elif not refused:
        messages.warning(request, _("Choose at least one file."))
    return redirect("media:library")


def _answer(request: HttpRequest, kept: list[File], refused: list[str]) -> HttpResponse:
    if refused or not kept:
        return HttpResponse(" ".join(refused) or _("Choose at least one file."), status=422, content_type="text/plain")
    where = request.GET.get("where", "")
    if where:  # the composer draws files its own way
        return redirect(f"{reverse('studio:use', args=[kept[0].pk])}?where={where}")
    return render(request, "media/_files.html", {"files": kept, "can_write": True})


# A large file comes in pieces: ``begin`` says how much of it is here, ``piece`` takes the next, ``finish`` keeps it.


@login_required
@require_POST
def begin(request: HttpRequest) -> JsonResponse:
    """``{"piece": address for the pieces, "received": bytes that are here, "most": bytes of one piece}``"""
    member = _uploader(request)
    size = request.POST.get("size", "")
    upload = arriving.begin(
        workspace=member.workspace,
        name=request.POST.get("name", ""),
        size=int(size) if size.isascii() and size.isdigit() and len(size) < 16 else 0,
        mark=request.POST.get("mark", ""),
        by=member,
    )
    address = reverse("media:piece", args=[upload.pk])
    return JsonResponse({"piece": address, "received": upload.received, "most": arriving.PIECE})


@login_required
@require_http_methods(["PUT"])
def piece(request: HttpRequest, pk: UUID) -> JsonResponse:
    """``{"received": bytes that are here}``. The body is the piece; ``at`` in the address says where it belongs."""
    at = request.GET.get("at", "")
    upload = arriving.add(
        _my_upload(request, pk), at=int(at) if at.isascii() and at.isdigit() and len(at) < 16 else -1, piece=request
    )
    return JsonResponse({"received": upload.received})


@login_required
@require_POST
def finish(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What ``upload`` answers to a file sent whole."""
    upload = _my_upload(request, pk)
    kept = arriving.finish(upload, by=_scope(request).member_in(upload.workspace_id))
    return _answer(request, [kept], [])


def _my_upload(request: HttpRequest, pk: UUID) -> Upload:
    found = get_object_or_404(Upload.objects.select_related("workspace"), pk=pk, user=request.user)
    _scope(request).member_in(found.workspace_id).must("write")
    return found


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
    """A file's page: what it shows, its point that matters, where it is used; a video or a sound can be played."""
    found = get_object_or_404(queries.files_for(_scope(request)), pk=pk)
    member = _scope(request).member_in(found.workspace_id)
    now = {name: getattr(found, name) for name in forms.FOR[found.kind].base_fields}
    form = forms.FOR[found.kind](request.POST or None, initial=now)
    if request.method == "POST":
        member.must("write", found)
        if form.is_valid():
            given = form.cleaned_data
            services.describe(
                file=found,
                alt=given.get("alt", found.alt),
                name=given["name"],
                focus=(given["focus_x"], given["focus_y"]) if "focus_x" in given else None,
                cover_at=given.get("cover_at"),
                title=given.get("title"),
                language=given.get("language"),
                by=member,
            )
            messages.success(request, _("Saved."))
            return redirect("media:file", found.pk)
    return render(
        request,
        "media/file.html",
        {
            "file": found,
            "form": form,
            "posts": found.posts.filter(removed_at=None)[:20],
            "cues": _cues(found),
            "can_write": member.may("write"),
            **_made_of(found),
        },
    )


def _made_of(found: File) -> dict[str, Any]:
    """What was made of a video or a sound for networks, the latest first, and whether more is being made."""
    moves = found.is_video or found.is_sound
    rows = list(found.renditions.exclude(plan__do="keep").order_by("-pk")[:10]) if moves else []
    return {"renditions": rows, "busy": any(row.state in UNDER_WAY for row in rows)}


def _cues(found: File) -> list[captions.Cue]:
    """The first subtitles of a file, to see whether they are the right ones."""
    if not found.is_captions:
        return []
    try:
        with found.file.open("rb") as source:
            return list(captions.look(source.read(), found.content_type).cues[:8])
    except FileNotFoundError:
        return []


UNDER_WAY = (Rendition.State.WAITING, Rendition.State.MAKING)


@login_required
@require_GET
def renditions(request: HttpRequest, pk: int) -> HttpResponse:
    """How far they are: the page asks again while one is being made."""
    found = get_object_or_404(queries.files_for(_scope(request)), pk=pk)
    member = _scope(request).member_in(found.workspace_id)
    context = {"file": found, "can_write": member.may("write"), **_made_of(found)}
    return render(request, "media/_renditions.html", context)


@login_required
@require_POST
def make_again(request: HttpRequest, pk: int, rendition: int) -> HttpResponse:
    """A rendition that failed, once more."""
    found = get_object_or_404(queries.files_for(_scope(request)), pk=pk)
    _scope(request).member_in(found.workspace_id).must("write", found)
    making.try_again(get_object_or_404(Rendition, pk=rendition, original=found))
    return redirect("media:file", found.pk)


@login_required
@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    numbers = {int(n) for n in request.POST.getlist("file") if n.isdigit()}
    removed: list[File] = []
    for member, files in _by_member(_scope(request), queries.files_for(_scope(request)).filter(pk__in=numbers)):
        removed += services.remove(files=files, by=member)
    if removed:
        undo = f"{reverse('media:restore')}?{'&'.join(f'file={one.pk}' for one in removed)}"
        said = ngettext("{n} file removed.", "{n} files removed.", len(removed)).format(n=len(removed))
        messages.success(request, said, extra_tags=f"undo:{undo}")
    return redirect("media:library")


@login_required
@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    numbers = {int(n) for n in request.GET.getlist("file") if n.isdigit()}
    for member, files in _by_member(_scope(request), queries.every_file_for(_scope(request)).filter(pk__in=numbers)):
        services.restore(files=files, by=member)
    messages.success(request, _("The files are back."))
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
    name = str(found.thumbnail.name)  # a video's cover can change, and its file with it
    return served(request, found.thumbnail, content_type="image/webp", tag=_tag(found, f"t{name[-14:-5]}"))


@login_required
@require_GET
def shown(request: HttpRequest, pk: int, sha: str) -> HttpResponseBase:
    """The picture large enough for a page, upright and without its place; of a video, its cover."""
    found = _seen(request, pk, sha)
    if not found.is_picture:
        return thumbnail(request, pk, sha)
    tag = _tag(found, "s")
    if request.headers.get("If-None-Match") == f'"{tag}"':  # before a rendition is made for nothing
        return HttpResponseNotModified()
    rendition = services.rendition_for(found, services.SHOWN)
    return served(request, rendition.file, content_type=rendition.content_type, tag=tag)


@login_required
@require_safe
def original(request: HttpRequest, pk: int, sha: str) -> HttpResponseBase:
    """The file as it was uploaded, to keep; in pieces when the line is bad."""
    found = _seen(request, pk, sha)
    response = served(request, found.file, content_type=found.content_type, tag=_tag(found, "o"))
    response["Content-Disposition"] = (
        f'attachment; filename="{found.sha256[:12]}.{str(found.file.name).rpartition(".")[2]}"'
    )
    return response


@login_required
@require_safe
def played(request: HttpRequest, pk: int, sha: str) -> HttpResponseBase:
    """A video or a sound for the page's player, which asks for the pieces it needs."""
    found = _seen(request, pk, sha)
    if not (found.is_video or found.is_sound):
        raise Http404
    return served(request, found.file, content_type=_playable(found), tag=_tag(found, "v"))


def _playable(found: File) -> str:
    """Browsers that refuse the name of Apple's container play what is in it."""
    return "video/mp4" if found.content_type == "video/quicktime" else found.content_type


def _seen(request: HttpRequest, pk: int, sha: str) -> File:
    return get_object_or_404(queries.every_file_for(_scope(request)), pk=pk, sha256=sha)


def _tag(found: File, kind: str) -> str:
    return f"{found.sha256[:24]}{kind}"


def _scope(request: HttpRequest) -> Scope:
    return cast(MemberRequest, request).scope

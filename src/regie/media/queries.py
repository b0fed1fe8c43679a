"""Reading files: only what the scope's person may see."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from regie.media.models import File
from regie.people.scope import Scope


def files_for(scope: Scope, verb: str = "view") -> QuerySet[File]:
    """The files of the workspaces in view where the person may do ``verb``; removed ones are left out."""
    return File.objects.filter(workspace__in=scope.workspace_ids(verb), removed_at=None).select_related("workspace")


def every_file_for(scope: Scope) -> QuerySet[File]:
    """As ``files_for``, in any of the person's workspaces, removed ones too: posts that use them still show them."""
    return File.objects.filter(workspace__in=[seat.workspace_id for seat in scope.members if seat.may("view")])


def matching(files: QuerySet[File], *, text: str = "", kind: str = "", alt: str = "") -> QuerySet[File]:
    """Narrows a list. ``text`` is looked for in names and alternative texts; ``kind`` is
    one of ``File.Kind`` or a content type;
    ``alt`` "missing" or "there": of what can have one."""
    for word in text.split():
        files = files.filter(Q(name__icontains=word) | Q(alt__icontains=word) | Q(title__icontains=word))
    if kind:
        files = files.filter(content_type=kind) if "/" in kind else files.filter(kind=kind)
    if alt == "missing":
        files = files.filter(alt="", kind__in=(File.Kind.PICTURE, File.Kind.VIDEO))
    elif alt == "there":
        files = files.exclude(alt="")
    return files

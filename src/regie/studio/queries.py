"""Reading posts: only what the scope's person may see, and where each of them stands."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Case, Count, Exists, F, Func, Max, Min, OuterRef, Q, QuerySet, TextField, Value, When
from django.db.models.functions import Cast
from django.db.models.lookups import IContains

from regie.people.scope import Scope
from regie.studio.models import Post, Variant

# Groups of delivery states, as the list's filter offers them: publishing/states.py has the states themselves.
PLANNED = ("held", "scheduled", "preparing", "claimed", "sending", "processing")
LIMITED = "limited"  # published, and not seen by the public
NEEDS_ME = ("unclear", "refused", "missed", "partly", "by_hand")


TEXTS = (
    "$.parts[*].text",
    "$.parts[*].media[*].alt",
    "$.content_warning",
    "$.first_comment",
    "$.poll.question",
    "$.poll.options[*]",
    "$.poll.explanation",
    "$.options.*.title",
    "$.options.*.description",
)
"""Where a document (``content.Content``) holds what somebody wrote, as paths in its JSON."""


class TextsOf(Func):
    """What somebody wrote in a document, a line each."""

    template = (
        "array_to_string(ARRAY(SELECT said #>> '{}' FROM unnest('{"  # noqa: S608 - nothing in it comes from outside
        + ",".join(TEXTS)
        + "}'::jsonpath[]) AS path, jsonb_path_query(%(expressions)s, path) AS said), chr(10))"
    )
    output_field = TextField()


def saying(word: str, content: str = "content") -> Q:
    """The rows whose document says ``word``: its keys and choices are no words of anybody.

    Most rows are out at the first look, at the document as it is kept, where a quote is escaped; only the others are
    taken apart, which takes thrice as long.
    """
    kept = json.dumps(word, ensure_ascii=False)[1:-1]
    return Q(IContains(Cast(content, TextField()), kept)) & Q(IContains(TextsOf(content), word))


@dataclass(slots=True)
class Standing:
    """Where a post stands. ``states``: delivery state -> how many; empty for a draft."""

    states: dict[str, int] = field(default_factory=dict)
    next_at: datetime | None = None
    last_at: datetime | None = None


def posts_for(scope: Scope, verb: str = "view") -> QuerySet[Post]:
    """The posts of the workspaces in view where the person may do ``verb``; those in the bin are left out."""
    return Post.objects.filter(workspace__in=scope.workspace_ids(verb), removed_at=None).select_related(
        "workspace", "author", "campaign"
    )


def every_post_for(scope: Scope) -> QuerySet[Post]:
    """In any of the person's workspaces, those in the bin too: for links that were kept, and for the undo."""
    return Post.objects.filter(workspace__in=[seat.workspace_id for seat in scope.members]).select_related(
        "workspace", "author", "campaign"
    )


def matching(
    posts: QuerySet[Post],
    *,
    text: str = "",
    state: str = "",
    account: int | None = None,
    author: int | None = None,
    campaign: int | None = None,
) -> QuerySet[Post]:
    """Narrows a list. ``state``: draft, planned, needs_me, published, or a state of a delivery."""
    if words := text.split():
        for word in words:
            posts = posts.filter(Q(title__icontains=word) | saying(word))
    variants = Variant.objects.filter(post=OuterRef("pk"))
    if state == "draft":
        posts = posts.exclude(Exists(variants.filter(deliveries__isnull=False).exclude(deliveries__state="cancelled")))
    elif state:
        wanted = {"planned": PLANNED, "needs_me": NEEDS_ME}.get(state, (state,))
        shown = variants.annotate(shown=_shown()) if state in ("published", LIMITED) else None
        found = variants.filter(deliveries__state__in=wanted) if shown is None else shown.filter(shown=state)
        posts = posts.filter(Exists(found))
    if account is not None:
        posts = posts.filter(Exists(variants.filter(account=account, dropped_at=None)))
    if author is not None:
        posts = posts.filter(author=author)
    if campaign is not None:
        posts = posts.filter(campaign=campaign)
    return posts


def _shown() -> Case:
    """The state of a variant's delivery as people see it."""
    limited = When(~Q(deliveries__limited=""), deliveries__state="published", then=Value(LIMITED))
    return Case(limited, default=F("deliveries__state"))


def standings(posts: Iterable[Post]) -> dict[int, Standing]:
    """Post number -> where it stands, for a page of posts in one query. Cancelled ones count only when alone."""
    found = {post.pk: Standing() for post in posts}
    rows = (
        Variant.objects.filter(post__in=found, deliveries__isnull=False)
        .annotate(shown=_shown())
        .values("post_id", "shown")
        .annotate(many=Count("deliveries"), first=Min("deliveries__due_at"), last=Max("deliveries__due_at"))
        .order_by("post_id")
    )
    for row in rows:
        standing = found[row["post_id"]]
        state = row["shown"]
        standing.states[state] = row["many"]
        if state in PLANNED or state == "by_hand":
            standing.next_at = min(filter(None, (standing.next_at, row["first"])))
        standing.last_at = max(filter(None, (standing.last_at, row["last"])))
    for standing in found.values():
        if len(standing.states) > 1:
            standing.states.pop("cancelled", None)
    return found


def is_promised(post: Post) -> bool:
    """Whether something of it is still to go out: then what is typed is kept only when a person says so."""
    return post.variants.filter(deliveries__state__in=(*PLANNED, *NEEDS_ME)).exists()


def is_out(post: Post) -> bool:
    return post.variants.filter(deliveries__state__in=("published", "partly")).exists()

"""Posts and their variants: what a person wrote, and what each account will show of it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from regie.accounts.models import Account
from regie.core import clock
from regie.media.models import File
from regie.people.models import Workspace
from regie.studio.content import Content


def first_line(text: str) -> str:
    """What stands for a post that has no title: at most 80 characters."""
    line = text.strip().split("\n")[0]
    return line if len(line) <= 80 else f"{line[:79].rstrip()}…"


class Campaign(models.Model):
    """Posts that belong together for a time: a launch, a season. Days are days on the workspace's clocks."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="campaigns")
    name = models.CharField(max_length=120)
    colour = models.CharField(max_length=7, default="#0f766e", help_text="#rrggbb; never the only sign of anything.")
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True, help_text="Its last day.")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True, help_text="No longer offered; its posts keep it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "workspace", Lower("name"), condition=Q(archived_at=None), name="campaign_name_once"
            ),
            models.CheckConstraint(condition=Q(ends_on__gte=F("starts_on")), name="campaign_ends_after"),
        ]
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class Post(models.Model):
    """What a person wrote. ``version`` counts saves: two tabs that edit one post do not overwrite each other."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="posts")
    title = models.CharField(max_length=200, blank=True, help_text="For the team; never published.")
    content = models.JSONField(default=dict, help_text="studio.content.Content")
    version = models.PositiveIntegerField(default=1)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    files = models.ManyToManyField(File, related_name="posts", blank=True)
    campaign = models.ForeignKey(Campaign, on_delete=models.SET_NULL, null=True, blank=True, related_name="posts")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    updated_at = models.DateTimeField(default=clock.now)
    removed_at = models.DateTimeField(null=True, blank=True, help_text="In the bin; its proof stays.")

    class Meta:
        indexes = [models.Index(fields=["workspace", "-updated_at"], name="post_of_workspace")]
        ordering = ["-updated_at", "-pk"]

    def __str__(self) -> str:
        return self.title or first_line(self.document.text)

    @property
    def document(self) -> Content:
        return Content.model_validate(self.content or {})


class ChoiceName(models.Model):
    """How a network called one of the choices that only it knows (a board, a playlist), when it was last asked."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+", db_index=False)
    option = models.CharField(max_length=60)
    value = models.CharField(max_length=300)
    label = models.CharField(max_length=300)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "option", "value"], name="choice_name_once")]


class Variant(models.Model):
    """That post as it will look on one account. ``content`` None: the same as the post."""

    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="variants")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="variants")
    content = models.JSONField(null=True, blank=True)
    by_hand = models.BooleanField(default=False, help_text="A person publishes it and pastes the link.")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    dropped_at = models.DateTimeField(null=True, blank=True, help_text="The account was taken off the post.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "account"], name="variant_once")]
        ordering = ["pk"]

    @property
    def document(self) -> Content:
        return Content.model_validate(self.content) if self.content is not None else self.post.document

"""Tokens by which a program acts as a member, and what it was answered, so that a repeat does nothing twice."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from regie.core import clock
from regie.people.models import Member, Workspace


class ApiToken(models.Model):
    """A program's way in: it acts as one member of one workspace, with that member's role. Only a hash is kept."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(_("name"), max_length=120, help_text="What the program is for, in the person's words.")
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def dialog_id(self) -> str:
        return f"token-{self.pk}"

    @property
    def is_over(self) -> bool:
        """Whether it no longer opens anything."""
        return self.revoked_at is not None or (self.expires_at is not None and self.expires_at <= clock.now())


class Answered(models.Model):
    """What a request with an ``Idempotency-Key`` was answered: the same key again within a day gets the same."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    token = models.ForeignKey(ApiToken, on_delete=models.CASCADE, related_name="answered")
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, path and body.")
    status = models.PositiveSmallIntegerField(default=0)
    answer = models.JSONField(default=dict)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="answered_once")]
        indexes = [models.Index(fields=["at"], name="answered_at")]

"""Samples: numbers that a network told us at a moment; and when they are next asked for."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from regie.accounts.models import Account
from regie.core import clock
from regie.people.models import Workspace
from regie.publishing.models import Delivery


class Sample(models.Model):
    """``value`` None: the network did not say. Zero: the network said zero. ``delivery`` None: of the account."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="samples")
    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, null=True, related_name="samples")
    metric = models.CharField(max_length=40, help_text="A name from networks/metrics.py")
    value = models.BigIntegerField(null=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [
            models.Index(fields=["delivery", "metric", "at"], name="sample_of_delivery", condition=~Q(delivery=None)),
            models.Index(fields=["account", "metric", "at"], name="sample_of_account", condition=Q(delivery=None)),
        ]


class Collection(models.Model):
    """When a delivery's numbers are next asked for: often at first, ever more rarely later; and the last ones."""

    delivery = models.OneToOneField(Delivery, on_delete=models.CASCADE, primary_key=True, related_name="collection")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    published_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True)
    latest = models.JSONField(default=dict, help_text="Metric -> [value, when it was read].")
    reactions = models.BigIntegerField(null=True, help_text="Likes, shares, replies and quotes together, of latest.")

    class Meta:
        indexes = [
            models.Index(fields=["account", "next_at"], name="collection_due", condition=Q(next_at__isnull=False)),
            models.Index(fields=["account", "-published_at"], name="collection_of_account"),
        ]


class Round(models.Model):
    """One account's turn to be measured: the account itself, and the posts that are due."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="measuring")
    next_at = models.DateTimeField(default=clock.now, help_text="When the account's own numbers are due.")
    not_before = models.DateTimeField(null=True, help_text="The network asked us to wait.")
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    leased_until = models.DateTimeField(null=True, help_text="Somebody is asking; a lease.")
    latest = models.JSONField(default=dict, help_text="Metric -> [value, when it was read].")
    history_at = models.DateTimeField(default=clock.now, help_text="When the account's posts are next listed.")
    history_from = models.DateTimeField(null=True, help_text="How far back they were read.")
    history_to = models.DateTimeField(null=True, help_text="Those made until then are known.")
    history_problem = models.CharField(max_length=300, blank=True, help_text="Why they could not be read.")
    history_facts = models.JSONField(default=dict)


class MadeElsewhere(models.Model):
    """A post of the account that we did not publish: from before it was connected, or made in the network's own app."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="+")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="made_elsewhere")
    remote_id = models.CharField(max_length=300)
    url = models.URLField(max_length=500, blank=True)
    text = models.TextField(blank=True)
    media = models.PositiveSmallIntegerField(default=0, help_text="How many pictures and videos.")
    published_at = models.DateTimeField(help_text="By the network's clock.")
    extra = models.JSONField(default=dict)
    gone_at = models.DateTimeField(null=True, help_text="When the network no longer listed it.")
    measured_at = models.DateTimeField(null=True)
    latest = models.JSONField(default=dict, help_text="Metric -> [value, when it was read].")
    reactions = models.BigIntegerField(null=True, help_text="Likes, shares, replies and quotes together, of latest.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "remote_id"], name="made_elsewhere_once")]
        indexes = [
            models.Index(fields=["workspace", "published_at"], name="made_elsewhere_on_calendar"),
            models.Index(fields=["account", "-published_at"], name="made_elsewhere_of_account"),
        ]

"""Posts that come again: a rule, and each of its dates as a row of its own."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from regie.core import clock
from regie.people.models import Workspace
from regie.publishing.models import Delivery
from regie.studio.models import Post, Variant


class Recurrence(models.Model):
    """A post promised again and again, at a wall-clock time in a zone, on the dates of a rule.

    Its deliveries are made ahead over a horizon that rolls on (``recurring.extend``).
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, related_name="recurrences")
    post = models.ForeignKey(Post, on_delete=models.PROTECT, related_name="recurrences")
    rule = models.CharField(max_length=200, help_text="RRULE of RFC 5545, without its beginning, its end and its time.")
    first_on = models.DateField(help_text="The rule begins to count here.")
    local_time = models.TimeField(help_text="Wall clock, as the person chose it.")
    zone = models.CharField(max_length=64)
    until = models.DateField(null=True, blank=True, help_text="The last date that it can have.")
    count = models.PositiveIntegerField(null=True, blank=True, help_text="How many dates it has, with the exceptions.")
    exceptions = ArrayField(models.DateField(), default=list, blank=True, help_text="Dates that are left out.")
    late_minutes = models.PositiveIntegerField(default=60)
    made_until = models.DateField(null=True, blank=True, help_text="Up to here its deliveries were made.")
    tried_at = models.DateTimeField(null=True, blank=True, help_text="When making its next dates last failed.")
    stopped_at = models.DateTimeField(null=True, blank=True, help_text="A person ended it, or nothing is left of it.")
    problem = models.TextField(blank=True, help_text="Why its next dates could not be promised, for people.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(until=None) | Q(count=None), name="recurrence_one_end"),
        ]
        indexes = [models.Index(fields=["made_until"], name="recurrence_running", condition=Q(stopped_at=None))]
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return str(self.post)


class Occurrence(models.Model):
    """One date of a rule on one account, and the delivery that was made for it. Once each, whoever makes them."""

    recurrence = models.ForeignKey(Recurrence, on_delete=models.PROTECT, related_name="occurrences")
    date = models.DateField(help_text="By the rule; its delivery may have been moved since.")
    variant = models.ForeignKey(Variant, on_delete=models.PROTECT, related_name="+")
    delivery = models.OneToOneField(Delivery, on_delete=models.PROTECT, related_name="occurrence")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["recurrence", "date", "variant"], name="occurrence_once"),
        ]
        ordering = ["date", "pk"]

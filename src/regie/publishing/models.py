"""Deliveries and their proof: what was promised, what was said on the wire, what became of it."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext

from regie.accounts.models import Account
from regie.core import clock
from regie.core.fields import WallClockField
from regie.people.models import Workspace
from regie.publishing.states import LIMITED, State
from regie.studio.models import Campaign, Variant


class Delivery(models.Model):
    """One variant promised to one account at one time, and what became of the promise."""

    workspace = models.ForeignKey(  # proof outlives what it proves
        Workspace, on_delete=models.PROTECT, db_index=False
    )  # delivery_on_calendar begins with it
    variant = models.ForeignKey(
        Variant, on_delete=models.PROTECT, related_name="deliveries", db_index=False
    )  # delivery_once_per_occurrence begins with it
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="deliveries")
    state = models.CharField(max_length=20, choices=State, default=State.SCHEDULED)
    holds = ArrayField(models.CharField(max_length=40), default=list, blank=True, help_text="Why it is held.")
    local_at = WallClockField(help_text="Wall clock, as the person chose it.")
    zone = models.CharField(max_length=64)
    due_at = models.DateTimeField(help_text="local_at in zone, as UTC; computed again when zone rules change.")
    next_at = models.DateTimeField(help_text="due_at, or later when the network told us to wait.")
    post_version = models.PositiveIntegerField(
        default=0, help_text="The version of the post that its steps were written from; 0: look again."
    )
    spread_from = models.DateTimeField(
        null=True, blank=True, help_text="When it was to go out, had the network taken more that day."
    )
    late_minutes = models.PositiveIntegerField(default=60, help_text="Later than this, a person is asked.")
    prepare_at = models.DateTimeField(
        null=True, blank=True, help_text="When to begin its uploads; None: nothing to prepare, or done."
    )
    look_at = models.DateTimeField(
        null=True, blank=True, help_text="When to look on the network: what became of it, or whether it can be seen."
    )
    looks = models.PositiveSmallIntegerField(default=0, help_text="How often we looked since it was sent.")
    doubt_from = models.DateTimeField(
        null=True,
        blank=True,
        help_text="The moment of the backup that we come from: its steps in doubt that were not tried since may have "
        "gone out at any time from then on.",
    )
    called_off = models.BooleanField(
        default=False,
        db_default=False,
        help_text="A person cancelled it when it may have been out already: it is looked for, and never sent.",
    )
    remove_at = models.DateTimeField(null=True, blank=True, help_text="When to take it off the network; None: never.")
    to_tell = models.BooleanField(default=False, help_text="People are to be told of its state, and were not yet.")
    lease = models.UUIDField(null=True, blank=True, help_text="The publisher's claim.")
    leased_until = models.DateTimeField(null=True, blank=True)
    publisher = models.CharField(max_length=100, blank=True)
    remote_id = models.CharField(max_length=300, blank=True, help_text="The network's id, or its publish id.")
    url = models.URLField(max_length=500, blank=True)
    problem = models.TextField(blank=True, help_text="A sentence in English with {names}; shown translated.")
    problem_facts = models.JSONField(default=dict, blank=True)
    limited = models.TextField(
        blank=True,
        default="",
        db_default="",
        help_text="Why the network does not show it to the public, a sentence in English; empty: it does.",
    )
    tries = models.PositiveIntegerField(default=0, help_text="Sends that the network answered with 'later'.")
    scheduled_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="The visible call began.")
    accepted_at = models.DateTimeField(null=True, blank=True, help_text="The network said yes.")
    visible_at = models.DateTimeField(null=True, blank=True, help_text="We saw it there.")
    gone_at = models.DateTimeField(null=True, blank=True, help_text="It is no longer there.")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["variant", "local_at", "zone"],
                condition=~Q(state="cancelled"),
                name="delivery_once_per_occurrence",
            ),
            models.UniqueConstraint(
                fields=["account", "remote_id"], condition=~Q(remote_id=""), name="delivery_owns_its_post"
            ),
            models.CheckConstraint(condition=~Q(state="published", remote_id=""), name="delivery_has_receipt"),
            models.CheckConstraint(
                condition=~Q(state="held", holds=[]) & (Q(holds=[]) | Q(state="held")),
                name="delivery_held_for_a_reason",
            ),
            models.CheckConstraint(condition=Q(next_at__gte=F("due_at")), name="delivery_never_early"),
        ]
        indexes = [
            # For the engine, several times a second: only the rows that wait for it.
            models.Index(fields=["account", "next_at"], name="delivery_waiting", condition=Q(state="scheduled")),
            models.Index(fields=["account", "due_at", "id"], name="delivery_in_order", condition=Q(state="scheduled")),
            models.Index(
                fields=["prepare_at"],
                name="delivery_to_prepare",
                condition=Q(state="scheduled", prepare_at__isnull=False),
            ),
            models.Index(fields=["leased_until"], name="delivery_leased", condition=Q(leased_until__isnull=False)),
            models.Index(
                fields=["look_at"],
                name="delivery_in_doubt",
                condition=Q(state__in=("unclear", "processing"), look_at__isnull=False),
            ),
            models.Index(
                fields=["look_at"], name="delivery_to_see", condition=Q(state="published", look_at__isnull=False)
            ),
            models.Index(fields=["remove_at"], name="delivery_to_remove", condition=Q(remove_at__isnull=False)),
            models.Index(fields=["id"], name="delivery_to_tell", condition=Q(to_tell=True)),
            models.Index(fields=["due_at"], name="delivery_by_hand", condition=Q(state="by_hand")),
            models.Index(fields=["account"], name="delivery_preparing", condition=Q(state="preparing")),
            models.Index(fields=["account"], name="delivery_held", condition=Q(state="held")),
            models.Index(fields=["workspace", "due_at"], name="delivery_on_calendar"),
        ]
        ordering = ["due_at", "pk"]

    @property
    def shown(self) -> str:
        """The state as people see it: what the public does not see is never shown as published."""
        return LIMITED if self.state == State.PUBLISHED and self.limited else self.state


class Step(models.Model):
    """One part of a delivery: the post itself, then each further part of its thread. Each has its own fate."""

    class State(models.TextChoices):
        WAITING = "waiting"
        SENDING = "sending"
        PROCESSING = "processing"
        PUBLISHED = "published"
        UNCLEAR = "unclear"
        REFUSED = "refused"
        DROPPED = "dropped"  # the post was edited and has no such part any more

    delivery = models.ForeignKey(
        Delivery, on_delete=models.PROTECT, related_name="steps", db_index=False
    )  # step_once begins with it
    position = models.PositiveSmallIntegerField()
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="Sent to the network.")
    content = models.JSONField(help_text="Exactly what this step says: text, files with alt texts, poll, options.")
    state = models.CharField(max_length=20, choices=State, default=State.WAITING)
    progress = models.JSONField(default=dict, help_text="What the connector has achieved so far.")
    prepared_at = models.DateTimeField(null=True, blank=True)
    remote_id = models.CharField(max_length=300, blank=True)
    url = models.URLField(max_length=500, blank=True)
    extra = models.JSONField(default=dict)
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "position"], name="step_once")]
        ordering = ["position"]


class Attempt(models.Model):
    """One call for a step, written before it was made, with what the network said. Never changed after its end,
    but for a look that the network could not answer: the next that it cannot answer either takes its place."""

    class Kind(models.TextChoices):
        PREPARE = "prepare"
        COMMIT = "commit"
        LOOK = "look"  # reconciliation

    step = models.ForeignKey(
        Step, on_delete=models.PROTECT, related_name="attempts", db_index=False
    )  # attempt_once begins with it
    number = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.COMMIT)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of exactly what was to be sent.")
    publisher = models.CharField(max_length=100)
    began_at = models.DateTimeField()
    deadline = models.DateTimeField(help_text="After this the call can no longer be under way.")
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True, help_text="published, pending, later, refused, sign_in, ...")
    said = models.TextField(blank=True, help_text="A sentence in English with {names}; shown translated.")
    said_facts = models.JSONField(null=True, blank=True, help_text="What fills it; None: it is filled already.")
    answer = models.JSONField(null=True, blank=True, help_text="Status, headers that matter, body, seconds; masked.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["step", "number"], name="attempt_once")]
        ordering = ["step", "number"]


class Edit(models.Model):
    """A change of a part that is out, as a member asked for it: written down before its network hears of it."""

    class State(models.TextChoices):
        WAITING = "waiting"
        ASKING = "asking"  # a call is under way, at most until ``deadline``
        DONE = "done"
        UNCLEAR = "unclear"  # nobody answered: it is looked for and said again, or, with next_at None, a person decides
        REFUSED = "refused"

    OPEN = (State.WAITING, State.ASKING, State.UNCLEAR)
    """Its end is not known yet."""

    step = models.ForeignKey(Step, on_delete=models.PROTECT, related_name="edits", db_index=False)  # edit_once
    number = models.PositiveSmallIntegerField(help_text="From 1, in the order of the changes.")
    before = models.JSONField(help_text="What the part said.")
    content = models.JSONField(help_text="What it is to say.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    problem = models.TextField(blank=True, help_text="A sentence in English with {names}; shown translated.")
    problem_facts = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(default=clock.now)
    next_at = models.DateTimeField(null=True, help_text="When to say it, or to look; None: settled.")
    began_at = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True, help_text="After this the call can no longer be under way.")
    ended_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    answer = models.JSONField(null=True, help_text="What the network said last; masked.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["step", "number"], name="edit_once"),
            models.UniqueConstraint(
                fields=["step"],
                condition=Q(state__in=("waiting", "asking", "unclear")),
                name="edit_one_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["next_at"], name="edit_waiting", condition=Q(next_at__isnull=False))]
        ordering = ["step", "number"]

    def __str__(self) -> str:
        return f"{self.step_id}.{self.number}"

    @property
    def is_open(self) -> bool:
        """Its end is not known yet."""
        return self.state in self.OPEN

    @property
    def asks_a_person(self) -> bool:
        return self.state == self.State.UNCLEAR and self.next_at is None


class Lane(models.Model):
    """An account as the engine serves it: one line of deliveries, in order, held by one publisher at a time."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="lane")
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")
    next_at = models.DateTimeField(null=True, help_text="When its first delivery is due; None: nothing waits.")
    served_at = models.DateTimeField(default=clock.now)
    not_before = models.DateTimeField(null=True, help_text="The network asked us to wait.")
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["next_at"], name="lane_with_work", condition=Q(next_at__isnull=False))]


class Freeze(models.Model):
    """Everything not yet sent is held: of an account, a campaign, a workspace, or (all None) of the installation."""

    workspace = models.ForeignKey(Workspace, on_delete=models.PROTECT, null=True, related_name="freezes")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, related_name="freezes")
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, null=True, related_name="freezes")
    why = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(default=clock.now)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    lifted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "account", "campaign"],
                condition=Q(lifted_at=None),
                nulls_distinct=False,
                name="freeze_once",
            )
        ]

    def __str__(self) -> str:
        return str(self.account or self.campaign or self.workspace or "")

    @property
    def said(self) -> str:
        """Why, in the words of whoever froze it; ours, in the reader's language, where nobody did."""
        return self.why if self.by_id is not None else gettext(self.why)


class Publisher(models.Model):
    """A publisher process, as it last reported."""

    name = models.CharField(max_length=100, unique=True)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    skew_ms = models.FloatField(default=0, help_text="Its clock minus the database's, in milliseconds.")
    sending = models.PositiveIntegerField(default=0)
    given_to = models.CharField(
        max_length=10,
        blank=True,
        default="",
        db_default="",
        help_text="What it is given to: video (their uploads ahead of the hour), rest (all but those), or everything.",
    )

    @classmethod
    def who_send(cls, *, since: datetime) -> models.QuerySet[Publisher]:
        """Those seen since a moment without which nothing goes out: one that only uploads videos is none of them."""
        return cls.objects.filter(seen_at__gte=since).exclude(given_to="video")


class Installation(models.Model):
    """One row: which installation this database belongs to. A restored copy gets a new id, and starts frozen."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    key = models.UUIDField(default=uuid.uuid4)
    created_at = models.DateTimeField(default=clock.now)
    restored_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="installation_single")]

"""Rules of posts that come again, and each of their dates."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import regie.core.clock


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("people", "0002_guards"),
        ("publishing", "0005_spread"),
        ("studio", "0002_campaign"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Recurrence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "rule",
                    models.CharField(
                        help_text="RRULE of RFC 5545, without its beginning, its end and its time.", max_length=200
                    ),
                ),
                ("first_on", models.DateField(help_text="The rule begins to count here.")),
                ("local_time", models.TimeField(help_text="Wall clock, as the person chose it.")),
                ("zone", models.CharField(max_length=64)),
                ("until", models.DateField(blank=True, help_text="The last date that it can have.", null=True)),
                (
                    "count",
                    models.PositiveIntegerField(
                        blank=True, help_text="How many dates it has, with the exceptions.", null=True
                    ),
                ),
                (
                    "exceptions",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.DateField(),
                        blank=True,
                        default=list,
                        help_text="Dates that are left out.",
                        size=None,
                    ),
                ),
                ("late_minutes", models.PositiveIntegerField(default=60)),
                (
                    "made_until",
                    models.DateField(blank=True, help_text="Up to here its deliveries were made.", null=True),
                ),
                (
                    "tried_at",
                    models.DateTimeField(blank=True, help_text="When making its next dates last failed.", null=True),
                ),
                (
                    "stopped_at",
                    models.DateTimeField(
                        blank=True, help_text="A person ended it, or nothing is left of it.", null=True
                    ),
                ),
                (
                    "problem",
                    models.TextField(blank=True, help_text="Why its next dates could not be promised, for people."),
                ),
                ("created_at", models.DateTimeField(default=regie.core.clock.now, editable=False)),
                (
                    "created_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "post",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="recurrences", to="studio.post"
                    ),
                ),
                (
                    "workspace",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="recurrences", to="people.workspace"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="Occurrence",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("date", models.DateField(help_text="By the rule; its delivery may have been moved since.")),
                (
                    "delivery",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="occurrence", to="publishing.delivery"
                    ),
                ),
                (
                    "variant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="studio.variant"
                    ),
                ),
                (
                    "recurrence",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="occurrences", to="planner.recurrence"
                    ),
                ),
            ],
            options={
                "ordering": ["date", "pk"],
            },
        ),
        migrations.AddIndex(
            model_name="recurrence",
            index=models.Index(
                condition=models.Q(("stopped_at", None)), fields=["made_until"], name="recurrence_running"
            ),
        ),
        migrations.AddConstraint(
            model_name="recurrence",
            constraint=models.CheckConstraint(
                condition=models.Q(("until", None), ("count", None), _connector="OR"), name="recurrence_one_end"
            ),
        ),
        migrations.AddConstraint(
            model_name="occurrence",
            constraint=models.UniqueConstraint(fields=("recurrence", "date", "variant"), name="occurrence_once"),
        ),
    ]

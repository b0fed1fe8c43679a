import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import regie.core.clock


class Migration(migrations.Migration):
    dependencies = [
        ("publishing", "0007_limited"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Edit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveSmallIntegerField(help_text="From 1, in the order of the changes.")),
                ("before", models.JSONField(help_text="What the part said.")),
                ("content", models.JSONField(help_text="What it is to say.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("asking", "Asking"),
                            ("done", "Done"),
                            ("unclear", "Unclear"),
                            ("refused", "Refused"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                (
                    "problem",
                    models.TextField(blank=True, help_text="A sentence in English with {names}; shown translated."),
                ),
                ("problem_facts", models.JSONField(default=dict)),
                ("asked_at", models.DateTimeField(default=regie.core.clock.now)),
                ("next_at", models.DateTimeField(null=True, help_text="When to say it, or to look; None: settled.")),
                ("began_at", models.DateTimeField(null=True)),
                (
                    "deadline",
                    models.DateTimeField(help_text="After this the call can no longer be under way.", null=True),
                ),
                ("ended_at", models.DateTimeField(null=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("answer", models.JSONField(help_text="What the network said last; masked.", null=True)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "step",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="edits",
                        to="publishing.step",
                    ),
                ),
            ],
            options={
                "ordering": ["step", "number"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_at__isnull", False)), fields=["next_at"], name="edit_waiting"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("step", "number"), name="edit_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ("waiting", "asking", "unclear"))),
                        fields=("step",),
                        name="edit_one_at_a_time",
                    ),
                ],
            },
        ),
    ]

"""How networks call the choices that only they know: a receipt tells people a board's name, not its number."""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_video_seconds"), ("studio", "0002_campaign")]

    operations = [
        migrations.CreateModel(
            name="ChoiceName",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("option", models.CharField(max_length=60)),
                ("value", models.CharField(max_length=300)),
                ("label", models.CharField(max_length=300)),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.account",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("account", "option", "value"), name="choice_name_once")
                ],
            },
        ),
    ]

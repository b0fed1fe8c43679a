"""How late a client's posts may still go out by themselves, where nothing else is said. A constant: no rewrite."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("people", "0003_push")]
    operations = [
        migrations.AddField(
            "workspace",
            "late_minutes",
            models.PositiveIntegerField(
                default=60, help_text="A post later than this asks a person, unless it says otherwise."
            ),
        )
    ]

"""What may have gone out after the backup that a database comes from; what is missed, refused or partly out is looked for
before it is sent again."""

import importlib

from django.db import migrations, models

guard = importlib.import_module("regie.publishing.migrations.0002_transitions").guard


class Migration(migrations.Migration):
    dependencies = [("publishing", "0011_publisher_only")]
    operations = [
        migrations.AddField(
            "delivery",
            "doubt_from",
            models.DateTimeField(
                blank=True,
                help_text="The moment of the backup that we come from: its steps in doubt that were not tried since "
                "may have gone out at any time from then on.",
                null=True,
            ),
        ),
        migrations.RunSQL(guard(), migrations.RunSQL.noop),
    ]

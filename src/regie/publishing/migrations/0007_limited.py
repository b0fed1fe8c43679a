"""What a network took without showing it to the public, and a delivery that is complete once its post has no more parts.

The column has a value of the database's own, so that processes of the version before may still write.
"""

import importlib

from django.db import migrations, models

guard = importlib.import_module("regie.publishing.migrations.0002_transitions").guard


class Migration(migrations.Migration):
    dependencies = [("publishing", "0006_fewer_indexes")]
    operations = [
        migrations.AddField(
            "delivery",
            "limited",
            models.TextField(
                blank=True,
                db_default="",
                default="",
                help_text="Why the network does not show it to the public, a sentence in English; empty: it does.",
            ),
        ),
        migrations.RunSQL(guard(), migrations.RunSQL.noop),
    ]

"""What fills the sentence of an attempt, so that a receipt says it in its reader's language.

Null in the rows there are, whose sentences are filled already, and in what processes of the version before write.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("publishing", "0009_refused_after_the_lease")]
    operations = [
        migrations.AlterField(
            "attempt",
            "said",
            models.TextField(blank=True, help_text="A sentence in English with {names}; shown translated."),
        ),
        migrations.AddField(
            "attempt",
            "said_facts",
            models.JSONField(blank=True, help_text="What fills it; None: it is filled already.", null=True),
        ),
    ]

"""When a network's quota has moved a delivery: from when. Null for those in place, so adding it rewrites nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("publishing", "0004_post_version")]
    operations = [
        migrations.AddField(
            "delivery",
            "spread_from",
            models.DateTimeField(
                null=True, blank=True, help_text="When it was to go out, had the network taken more that day."
            ),
        )
    ]

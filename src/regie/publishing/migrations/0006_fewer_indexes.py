"""Every index of these tables is written up to three times for each delivery: only those that some statement reads.

Four foreign keys began a longer index already. What is looked at later is found by kind, so that posts waiting to be
seen do not lie in the way of those in doubt. Steps keep room in their pages for their own next versions.
"""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("publishing", "0005_spread")]
    operations = [
        migrations.RemoveIndex("delivery", "delivery_to_look_for"),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["look_at"],
                name="delivery_in_doubt",
                condition=Q(state__in=("unclear", "processing"), look_at__isnull=False),
            ),
        ),
        migrations.AddIndex(
            "delivery",
            models.Index(
                fields=["look_at"], name="delivery_to_see", condition=Q(state="published", look_at__isnull=False)
            ),
        ),
        migrations.AlterField(
            "delivery",
            "variant",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="deliveries",
                to="studio.variant",
            ),
        ),
        migrations.AlterField(
            "delivery",
            "workspace",
            models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to="people.workspace"),
        ),
        migrations.AlterField(
            "step",
            "delivery",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="steps",
                to="publishing.delivery",
            ),
        ),
        migrations.AlterField(
            "attempt",
            "step",
            models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="attempts",
                to="publishing.step",
            ),
        ),
        migrations.RunSQL("ALTER TABLE publishing_step SET (fillfactor = 60)", migrations.RunSQL.noop),
    ]

"""Until when an account works without a person. Tokens that nothing renews tell it already."""

from django.db import migrations, models
from django.db.models import F


def fill(apps, schema_editor):
    Account = apps.get_model("accounts", "Account")
    Account.objects.filter(refresh_at=None, expires_at__isnull=False).update(reconnect_by=F("expires_at"))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_budgets")]
    operations = [
        migrations.AddField(
            model_name="account",
            name="reconnect_by",
            field=models.DateTimeField(
                blank=True, help_text="When it stops working unless a person connects it again.", null=True
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]

"""A thread whose missing parts were taken out of its post is published as it is."""

import importlib

from django.db import migrations

guard = importlib.import_module("regie.publishing.migrations.0002_transitions").guard


class Migration(migrations.Migration):
    dependencies = [("publishing", "0013_called_off")]
    operations = [migrations.RunSQL(guard(), migrations.RunSQL.noop)]

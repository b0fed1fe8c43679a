"""A network's no that arrives after the lease ran out settles the doubt: unclear may become refused."""

import importlib

from django.db import migrations

guard = importlib.import_module("regie.publishing.migrations.0002_transitions").guard


class Migration(migrations.Migration):
    dependencies = [("publishing", "0008_edit")]
    operations = [migrations.RunSQL(guard(), migrations.RunSQL.noop)]

"""Four roles of operators; the one there was becomes the platform's."""

from django.db import migrations

SPECS = (
    ("platform", "Platform", ["console", "users.manage"]),
    ("support", "Support", ["console"]),
    ("billing", "Billing", ["console"]),
    ("auditor", "Auditor", ["console"]),
)


def forwards(apps, schema_editor):
    Role = apps.get_model("identity", "Role")
    rows = Role.objects.using(schema_editor.connection.alias)
    rows.filter(key="operator").update(key="platform", name="Platform", abilities=SPECS[0][2])
    known = set(rows.values_list("key", flat=True))
    for position, (key, name, abilities) in enumerate(SPECS):
        if key not in known:
            rows.create(key=key, name=name, abilities=abilities, is_system=True, position=position)


def backwards(apps, schema_editor):
    Role = apps.get_model("identity", "Role")
    rows = Role.objects.using(schema_editor.connection.alias)
    rows.filter(key="platform").update(key="operator", name="Operator", abilities=["console"])


class Migration(migrations.Migration):

    dependencies = [("identity", "0002_second_factor")]

    operations = [migrations.RunPython(forwards, backwards)]

"""A step that stays code: it fails for a company whose data it was not written for."""

from django.db import migrations


def fill(apps, schema_editor):
    accounts = apps.get_model("records", "Account").objects.using(schema_editor.connection.alias)
    if accounts.filter(name="Breaks the release").exists():
        raise ValueError("Breaks the release has no district.")
    accounts.filter(district="").update(district="everywhere")


class Migration(migrations.Migration):
    dependencies = [("records", "0900_widen")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

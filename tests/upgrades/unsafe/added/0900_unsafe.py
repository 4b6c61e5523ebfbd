"""Everything a release must not do."""

from django.db import migrations, models


def forwards(apps, schema_editor):
    """Does nothing, and there is no way back."""


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial")]
    operations = [
        migrations.AddField("account", "code", models.CharField(max_length=9, default="x")),
        migrations.RemoveField("contact", "title"),
        migrations.RenameField("account", "industry", "branch"),
        migrations.RunPython(forwards),
    ]

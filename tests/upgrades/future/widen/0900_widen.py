"""An additive release: two columns, an index, a table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("records", "0001_initial")]
    operations = [
        migrations.AddField(
            "account", "district", models.CharField(max_length=40, default="", db_default="")
        ),
        migrations.AddField("contact", "salutation", models.CharField(max_length=40, null=True)),
        migrations.AddIndex("account", models.Index(fields=["district"], name="account_district")),
        migrations.CreateModel(
            "Territory",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=80)),
                ("account", models.ForeignKey("records.account", models.CASCADE)),
            ],
        ),
    ]

"""Additive migrations of one shape, so that what releases cost can be compared."""

from django.db import migrations, models


def additive(of_account: str, of_contact: str, table: str) -> type[migrations.Migration]:
    """A migration base that adds two columns, an index and a table."""
    default = models.CharField(max_length=40, default="", db_default="")
    operations = [
        migrations.AddField("account", of_account, default),
        migrations.AddField("contact", of_contact, models.CharField(max_length=40, null=True)),
        migrations.AddIndex(
            "account", models.Index(fields=[of_account], name=f"account_{of_account}")
        ),
        migrations.CreateModel(
            table,
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("name", models.CharField(max_length=80)),
                ("account", models.ForeignKey("records.account", models.CASCADE)),
            ],
        ),
    ]
    return type("Additive", (migrations.Migration,), {"operations": operations})

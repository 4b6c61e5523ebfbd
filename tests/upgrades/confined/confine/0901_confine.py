"""No account without a district: a rule for new rows at once, for old ones once they are filled."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("records", "0900_widen")]
    data_step = "tests.upgrades.moving.fill_districts"
    operations = [
        migrations.AddField(
            "contact",
            "district_account",
            models.ForeignKey("records.account", models.SET_NULL, null=True, related_name="+"),
        ),
        migrations.AddConstraint(
            "account",
            models.CheckConstraint(condition=~models.Q(district=""), name="account_has_district"),
        ),
    ]

"""The plan every company can rent: everything in it, one price a user."""

import django.utils.timezone
from django.db import migrations

NAMES = {"en": "Standard", "zh-hant": "標準方案", "zh-hans": "标准方案"}
MONTHLY = {"USD": 5000, "TWD": 160000, "CNY": 35000, "HKD": 39000, "EUR": 4600, "JPY": 7500}
MONTHS_A_YEAR = 10
"""Who pays for a year pays for ten months of it."""


def offer(apps, editor):
    def rows(name):
        return apps.get_model("billing", name).objects.using(editor.connection.alias)

    plan = rows("Plan").create(key="standard", names=NAMES, is_default=True)
    version = rows("PlanVersion").create(
        plan_id=plan.pk, number=1, state="published", published_at=django.utils.timezone.now()
    )
    for currency, amount in MONTHLY.items():
        rows("Price").create(
            version_id=version.pk, currency=currency, interval="month", unit_amount=amount
        )
        rows("Price").create(
            version_id=version.pk, currency=currency, interval="year",
            unit_amount=amount * MONTHS_A_YEAR,
        )  # fmt: skip


def withdraw(apps, editor):
    for name in ("Price", "PlanVersion", "Plan"):
        apps.get_model("billing", name).objects.using(editor.connection.alias).all().delete()


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]
    operations = [migrations.RunPython(offer, withdraw)]

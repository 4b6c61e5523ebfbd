"""The environment of a `crm` started by a test: nothing of the test run's own settings."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
OURS = ("RAPPORT_", "DATABASE_", "REDIS_", "DJANGO_SETTINGS_MODULE", "PUBLIC_", "SECRET_KEY")


def variables(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**kept, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]), **more}

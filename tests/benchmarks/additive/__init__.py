"""The migrations of `records` with additive ones more: as many as ADDITIVE_STEPS says.

Read anew whenever the migrations are, so that one process can build several releases.
"""

import os
from pathlib import Path

from crm_core.records import migrations
from tests.upgrades.future import HERE

STEPS = (HERE / "widen", *(Path(__file__).parent / name for name in ("more", "further")))
__path__ = [
    *migrations.__path__,
    *map(str, STEPS[: int(os.environ.get("ADDITIVE_STEPS", "1"))]),
]

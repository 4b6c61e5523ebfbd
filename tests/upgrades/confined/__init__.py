"""The migrations of `records` with a constraint that is proven after the tables have changed."""

from pathlib import Path

from crm_core.records import migrations
from tests.upgrades.future import HERE

__path__ = [*migrations.__path__, str(HERE / "widen"), str(Path(__file__).parent / "confine")]

"""The migrations of `records` with one additive one more."""

from crm_core.records import migrations
from tests.upgrades.future import HERE

__path__ = [*migrations.__path__, str(HERE / "widen")]

"""The migrations of `records` with two more, as a release to come would bring them."""

from pathlib import Path

from crm_core.records import migrations

HERE = Path(__file__).parent
__path__ = [*migrations.__path__, str(HERE / "widen"), str(HERE / "fill")]

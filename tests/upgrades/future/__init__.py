"""The migrations of `records` with one more, as a release to come would bring it."""

from pathlib import Path

from crm_core.records import migrations

__path__ = [*migrations.__path__, str(Path(__file__).parent / "added")]

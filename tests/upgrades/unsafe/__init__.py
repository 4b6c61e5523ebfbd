"""The migrations of `records` with one that must be refused."""

from pathlib import Path

from crm_core.records import migrations

__path__ = [*migrations.__path__, str(Path(__file__).parent / "added")]

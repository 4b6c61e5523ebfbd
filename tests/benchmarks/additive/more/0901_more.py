"""Of the same shape as the step before: two columns, an index, a table."""

from tests.benchmarks.additions import additive


class Migration(additive("ward", "nickname", "Quarter")):
    dependencies = [("records", "0900_widen")]

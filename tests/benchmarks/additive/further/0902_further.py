"""Of the same shape as the step before: two columns, an index, a table."""

from tests.benchmarks.additions import additive


class Migration(additive("hamlet", "byname", "Parish")):
    dependencies = [("records", "0901_more")]

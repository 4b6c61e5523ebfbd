"""From the first form to the first record: how many came how far, by the week they began."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, Q
from django.db.models.functions import TruncWeek

from crm_platform.signup.models import SignUp

WEEKS = 12


@dataclass(frozen=True, slots=True)
class Week:
    """Sign-ups begun in the week of `begins` (a Monday, UTC), and how many of them came how far."""

    begins: dt.date
    started: int
    confirmed: int
    built: int
    entered: int
    chosen: int
    recorded: int

    @property
    def steps(self) -> tuple[int, ...]:
        """The counts in their order."""
        return (self.started, self.confirmed, self.built, self.entered, self.chosen, self.recorded)


def weeks(*, at: dt.datetime) -> list[Week]:
    """The last twelve weeks that have sign-ups, newest first. One query."""
    since = at - dt.timedelta(weeks=WEEKS)
    known = (
        SignUp.objects.filter(created_at__gte=since)
        .annotate(week=TruncWeek("created_at", tzinfo=dt.UTC)).order_by().values("week")
        .annotate(
            started=Count("pk"),
            confirmed=Count("confirmed_at"),
            built=Count("company__activated_at"),
            entered=Count("company__facts__first_sign_in_at"),
            chosen=Count("pk", filter=Q(company__facts__template__gt="")),
            recorded=Count("company__facts__first_record_at"),
        ).order_by("-week")
    )  # fmt: skip
    return [
        Week(row["week"].date(), row["started"], row["confirmed"], row["built"], row["entered"],
             row["chosen"], row["recorded"])
        for row in known
    ]  # fmt: skip

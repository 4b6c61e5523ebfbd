"""Days as a company counts them: in its own time zone, from moments kept in UTC."""

import datetime as dt
from zoneinfo import ZoneInfo

from crm_platform.kernel import tenancy


def local_date(at: dt.datetime, time_zone: str | None = None) -> dt.date:
    """The calendar day of `at` in `time_zone`, or in the current company's."""
    return at.astimezone(ZoneInfo(time_zone or tenancy.current().time_zone)).date()


def start_of_day(day: dt.date, time_zone: str | None = None) -> dt.datetime:
    """The first moment (aware, UTC) of `day` there."""
    zone = ZoneInfo(time_zone or tenancy.current().time_zone)
    return dt.datetime.combine(day, dt.time.min, zone).astimezone(dt.UTC)

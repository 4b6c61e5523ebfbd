"""When a company's backup is due, which are kept, and what is never kept in one."""

import datetime as dt
from collections.abc import Hashable, Iterable
from uuid import UUID
from zoneinfo import ZoneInfo

DAILY, WEEKLY, MONTHLY = 14, 8, 12
"""How many days, weeks and months keep their newest backup."""
NIGHT_FROM_HOUR, NIGHT_MINUTES = 1, 240
"""The company's own night: from one o'clock there, spread over four hours."""
REHEARSAL_DAYS = 28
MOST_ATTEMPTS = 3
TRY_AGAIN_AFTER = dt.timedelta(minutes=15)
LEASE = dt.timedelta(minutes=5)

LEFT_OUT = (
    "identity_session",
    "identity_apitoken",
    "identity_mailtoken",
    "identity_invitation",
    "identity_attempt",
    "identity_outgoingmail",
)
"""Tables whose rows would open doors or send mails once more in a copy: never in an archive.

Whoever used the company signs in again; keys of programs and invitations are made anew.
"""
MADE_BY_US = ("django_migrations",)
"""Tables the making of a schema fills."""


def nightly_moment(company_id: UUID, time_zone: str, at: dt.datetime) -> dt.datetime:
    """The latest moment, not after `at`, at which this company's nightly backup was due."""
    zone = ZoneInfo(time_zone)
    hour, minute = divmod(NIGHT_FROM_HOUR * 60 + company_id.int % NIGHT_MINUTES, 60)
    day = at.astimezone(zone).date()
    moment = dt.datetime.combine(day, dt.time(hour, minute), zone)
    if moment > at:
        moment = dt.datetime.combine(day - dt.timedelta(days=1), dt.time(hour, minute), zone)
    return moment.astimezone(dt.UTC)


def rehearsal_moment(company_id: UUID, at: dt.datetime) -> dt.datetime:
    """The latest moment, not after `at`, at which this company's monthly rehearsal was due."""
    days = company_id.int // NIGHT_MINUTES % REHEARSAL_DAYS
    minutes = company_id.int % (24 * 60)
    this_month = at.astimezone(dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    offset = dt.timedelta(days=days, minutes=minutes)
    if this_month + offset <= at:
        return this_month + offset
    return (this_month - dt.timedelta(days=1)).replace(day=1) + offset


def kept(moments: Iterable[dt.datetime]) -> set[dt.datetime]:
    """Which of a company's backups stay: the newest of each of 14 days, 8 weeks and 12 months.

    Days (weeks, months) without any do not count, so the newest of all always stays.
    """
    newest_first = sorted(moments, reverse=True)
    staying: set[dt.datetime] = set()
    for limit, span in ((DAILY, _day), (WEEKLY, _week), (MONTHLY, _month)):
        seen: dict[Hashable, dt.datetime] = {}
        for moment in newest_first:
            seen.setdefault(span(moment), moment)
        staying |= set(list(seen.values())[:limit])
    return staying


def _day(moment: dt.datetime) -> Hashable:
    return moment.date()


def _week(moment: dt.datetime) -> Hashable:
    return moment.isocalendar()[:2]


def _month(moment: dt.datetime) -> Hashable:
    return moment.year, moment.month

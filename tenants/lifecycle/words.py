"""What is said of a state: in letters, in the banner and on the page of the company's standing."""

import datetime as dt

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tenants.models import Company

State = Company.State


def day(moment: dt.datetime, zone: dt.tzinfo | None = None) -> str:
    """A day in words, where the company is."""
    return date_format(timezone.localtime(moment, zone).date(), "DATE_FORMAT")


def title(state: str) -> str:
    """A state as the heading of its page."""
    return {
        State.TRIAL: _("You are trying Rapport"),
        State.ACTIVE: _("Your company is open"),
        State.PAST_DUE: _("Payment is overdue"),
        State.READ_ONLY: _("Your company is read-only"),
        State.SUSPENDED: _("Your company is suspended"),
        State.CLOSED: _("Your company is closed"),
    }.get(State(state), "")


def now(state: str) -> str:
    """What works in a state; empty for one that needs no words."""
    return {
        State.TRIAL: _("This is a trial. Everything works."),
        State.ACTIVE: _("Everything works."),
        State.PAST_DUE: _("The trial or the paid time has ended. Everything still works."),
        State.READ_ONLY: _("Everything can be read, searched and exported; nothing is changed."),
        State.SUSPENDED: _("Nothing is lost, but nobody can work with it."),
        State.CLOSED: _("Nobody can work with it. Everything is still kept."),
        State.ERASED: _("Everything in it was erased for good."),
    }.get(State(state), "")


def then(state: str, until: str) -> str:
    """What the day `until` (in words) brings to a company in `state`; empty for nothing."""
    texts = {
        State.TRIAL: _("The trial ends on %(until)s."),
        State.PAST_DUE: _("On %(until)s it becomes read-only."),
        State.READ_ONLY: _("On %(until)s it is suspended: nobody can sign in to work any more."),
        State.SUSPENDED: _("On %(until)s it is closed."),
        State.CLOSED: _("On %(until)s everything in it is erased for good."),
    }
    text = texts.get(State(state), "")
    return text % {"until": until} if text else ""


def happened(to: str, house: str) -> str:
    """The subject of the letter that tells of a move; empty for one that is not told."""
    texts = {
        State.ACTIVE: _("%(house)s is open"),
        State.TRIAL: _("%(house)s is open"),
        State.PAST_DUE: _("The trial or the paid time of %(house)s has ended"),
        State.READ_ONLY: _("%(house)s is read-only now"),
        State.SUSPENDED: _("%(house)s is suspended"),
        State.CLOSED: _("%(house)s is closed"),
        State.ERASED: _("%(house)s was erased"),
    }
    text = texts.get(State(to), "")
    return text % {"house": house} if text else ""


def coming(to: str, house: str, until: str) -> str:
    """The subject of the letter that warns of a move."""
    texts = {
        State.PAST_DUE: _("The trial of %(house)s ends on %(until)s"),
        State.READ_ONLY: _("%(house)s becomes read-only on %(until)s"),
        State.SUSPENDED: _("%(house)s is suspended on %(until)s"),
        State.CLOSED: _("%(house)s is closed on %(until)s"),
        State.ERASED: _("%(house)s is erased on %(until)s"),
    }
    return texts[State(to)] % {"house": house, "until": until}

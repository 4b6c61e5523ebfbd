"""The words for what passes between us and a payment provider."""

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

COMMAND_KINDS = {"waiting": "info", "sending": "info", "done": "ok", "refused": "warn",
                 "dead": "bad", "replaced": ""}  # fmt: skip
EVENT_KINDS = {"waiting": "info", "done": "ok", "ignored": "", "dead": "bad"}
CAN_BE_SENT_AGAIN = ("dead", "refused")


def command_word(kind: str) -> str:
    """What a provider is to do."""
    return {
        "change": _("Other seats or another price, now"),
        "plan": _("What the next period shall be"), "buyer": _("Who pays"),
        "credit": _("Take back a part of an invoice"), "grant": _("Give credit"),
        "settle": _("Mark an invoice paid"), "end": _("End the subscription now"),
    }.get(kind, kind)  # fmt: skip


def command_state(state: str) -> str:
    """How far a command is."""
    return {
        "waiting": pgettext("command", "Waiting"), "sending": pgettext("command", "Being sent"),
        "done": pgettext("command", "Done"), "refused": pgettext("command", "Refused"),
        "dead": pgettext("command", "Given up"), "replaced": pgettext("command", "Replaced"),
    }[state]  # fmt: skip


def event_state(state: str) -> str:
    """What became of an event."""
    return {
        "waiting": pgettext("event", "Waiting"), "done": pgettext("event", "Looked up"),
        "ignored": pgettext("event", "Not ours"), "dead": pgettext("event", "Given up"),
    }[state]  # fmt: skip


def difference_word(kind: str) -> str:
    """What is not the same there and here, and what to do."""
    return {
        "seats": _("Another number of seats"), "status": _("Another status"),
        "price": _("Another price"), "period": _("Another period"),
        "bills": _("A bill is open on one side only"),
        "no_subscription": _("The provider has no subscription"),
        "unknown": _("A subscription that we do not know"),
        "two": _("Two subscriptions at once: end one there"),
        "no_customer": _("The customer is gone there: ask the company for its card again"),
        "stranger": _("A customer there that is nobody here: look who made it"),
        "closed": _("The company is closed and still charged: end it there"),
    }.get(kind, kind)  # fmt: skip

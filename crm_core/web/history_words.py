"""What the company's history keeps as codes, in the reader's words."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from crm_core.activities.timeline import verb_words
from crm_core.fields import catalogue
from crm_platform.identity.labels import TOKEN_SCOPES


def act_words(verb: str) -> str:
    """What somebody did (`person.role_changed`); acts of every subject's have one word each."""
    own = {
        "person.password_reset": _("set a new password"),
        "person.password_changed": _("changed the password"),
        "person.joined": _("joined"), "person.role_changed": _("changed the role"),
        "person.team_changed": _("changed the team"), "person.deactivated": _("deactivated"),
        "person.reactivated": _("let back in"), "person.profile_changed": _("changed the profile"),
        "person.mail_changed": _("changed the mail address"), "token.made": _("made a key"),
        "token.revoked": _("revoked the key"), "invitation.sent": _("invited"),
        "invitation.resent": _("sent the invitation again"),
        "invitation.revoked": _("withdrew the invitation"),
        "second_factor.enrolled": _("set up the second factor"),
        "second_factor.confirmed": _("gave the second factor"),
        "second_factor.recovered": _("used a recovery code"),
        "second_factor.codes_renewed": _("made new recovery codes"),
        "rehearsal.asked": _("asked for this"), "package.asked": _("asked for this"),
        "package.made": _("made this"), "package.downloaded": _("downloaded this"),
        "import.started": _("started this"), "import.cancelled": _("cancelled this"),
        "import.undone": _("undid this"), "import.finished": _("finished this"),
        "company.template": _("chose a starting point"), "tag.saved": _("saved this"),
        "address.changed": _("changed the address"), "domain.added": _("added a domain"),
        "domain.proven": _("proved the domain"), "domain.removed": _("removed the domain"),
        "billing.started": _("began to rent"), "billing.card_asked": _("went to pay by card"),
        "billing.changed": _("changed what is rented"), "billing.coupon": _("used a coupon"),
        "billing.seats_planned": _("planned fewer seats"),
        "billing.price_planned": _("planned another price"),
        "billing.taken_back": _("took a planned change back"),
        "billing.buyer_changed": _("changed the invoice details"),
        "billing.cancelled": _("stopped renting"), "billing.resumed": _("went on renting"),
    }  # fmt: skip
    return own.get(verb) or verb_words(verb.rpartition(".")[2])


def subject_words(name: str) -> str:
    """What an entry about configuration is about; of a model's label its last part counts."""
    of = name.rpartition(".")[2]
    return {
        "pipeline": _("Pipeline"), "stage": _("Stage"), "lostreason": _("Reason"),
        "lost_reason": _("Reason"), "tag": _("Tag"), "field": _("Field"),
        "customfield": _("Field"), "view": _("View"), "savedview": _("View"),
        "company": _("Company"), "person": _("Person"), "user": _("Person"), "role": _("Role"),
        "team": _("Team"), "import": _("Import"), "token": _("Key"), "billing": _("Billing"),
        "invitation": _("Invitation"), "updates": _("Updates"), "feature": _("New feature"),
        "support": _("Support access"), "rehearsal": _("Rehearsal"),
        "package": _("Take your data along"), "second_factor": _("Second factor"),
    }.get(of, of)  # fmt: skip


def fact_words(name: str) -> str:
    """What changed of it; an unknown fact stands as it is."""
    return {
        "turn": _("Turn"), "hours": _("Hours"), "not_before": _("Not before"),
        "release": _("Release"), "feature": _("New feature"), "name": _("Name"),
        "label": _("Name"), "email": _("Email"), "language": _("Language"),
        "time_zone": _("Time zone"), "currency": _("Currency"), "hue": _("Colour"),
        "accent_hue": _("Colour"), "kind": _("Kind"), "options": pgettext("history", "Choices"),
        "is_required": _("Required"), "help_text": _("Help"), "role": _("Role"),
        "team": _("Team"), "parent": pgettext("history", "Part of"),
        "probability": pgettext("history", "Chance to win"),
        "stale_days": pgettext("history", "Days until stale"),
        "is_default": pgettext("history", "New deals begin here"), "job_title": _("Job title"),
        "phone": _("Phone"), "rights": pgettext("history", "Rights"),
        "abilities": _("Abilities"), "field_limits": pgettext("history", "Hidden fields"),
        "copied_from": pgettext("history", "Copied from"),
        "is_active": pgettext("history", "May sign in"),
        "successor": pgettext("history", "Takes over"), "scope": pgettext("history", "May"),
        "days": pgettext("history", "Days"), "host": pgettext("history", "Web address"),
        "state": _("State"), "may_write": _("May change things"),
        "page": pgettext("history", "Page"), "reason": _("Reason"), "records": _("Records"),
        "rows": _("Rows"), "files": pgettext("history", "Files"), "file": _("File"),
        "format": pgettext("history", "Format"), "template": _("Starting point"),
        "act": pgettext("history", "What"), "moved_to": pgettext("history", "Moved to"),
        "deals": _("Deals"), "coupon": _("Coupon"), "invoice": _("Invoice"), "seats": _("Seats"),
        "total": _("Rows"), "created": pgettext("history", "Added"),
        "updated": pgettext("history", "Changed"), "skipped": _("Skipped"),
        "failed": _("Failed"), "columns": pgettext("history", "Columns"),
        "filters": pgettext("history", "Filters"), "sort": pgettext("history", "Order"),
        "is_pinned": pgettext("history", "In the menu"),
        "is_shared": pgettext("history", "Shared"),
    }.get(name, name)  # fmt: skip


def value_words(fact: str, value: Any) -> str:
    """A fact's value: yes and no, a visit's state, a person; what has parts is only hinted at."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, list | dict):
        return "…"
    if fact == "successor":
        person = catalogue.people().get(int(value))
        return person.name if person else f"#{value}"
    if fact == "scope":
        return str(TOKEN_SCOPES.get(value, value))
    if fact == "state":
        return {
            "asked": pgettext("visit", "asked for"), "granted": pgettext("visit", "agreed to"),
            "refused": pgettext("visit", "refused"), "ended": pgettext("visit", "over"),
        }.get(value, str(value))  # fmt: skip
    return str(value)


def changes_in_words(changes: dict[str, Any]) -> list[dict[str, str]]:
    """An entry's changes as label, old and new; what was said and is as before is only new."""
    return [
        {
            "label": fact_words(name),
            "old": "" if pair[0] == pair[1] else value_words(name, pair[0]),
            "new": value_words(name, pair[1]),
        }
        for name, pair in changes.items()
        if isinstance(pair, list) and len(pair) == 2
    ]

"""The words of states and roles, and the lamp beside them."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billing import access

KINDS = {
    "requested": "info", "building": "info", "active": "ok", "failed": "bad",
    "suspended": "warn", "deleted": "", "trial": "info", "past_due": "warn", "read_only": "warn",
    "closed": "", "erased": "",
}  # fmt: skip


def state_word(state: str) -> str:
    """A company's state."""
    words = {
        "requested": _("Requested"), "building": _("Being made"), "active": _("Active"),
        "failed": _("Failed"), "suspended": _("Suspended"), "deleted": _("Removed"),
        "trial": _("Trial"), "past_due": _("Past due"), "read_only": _("Read only"),
        "closed": _("Closed"), "erased": _("Erased"),
    }  # fmt: skip
    return words[state]


HEALTH_KINDS = {"ok": "ok", "warn": "warn", "bad": "bad"}


def health_word(health: str) -> str:
    """How a company does."""
    return {"ok": _("Well"), "warn": _("Look at it"), "bad": _("In trouble")}[health]


def support_word(state: str) -> str:
    """How a support visit stands."""
    words = {
        "asked": _("Waiting for the company"), "granted": _("Agreed"), "refused": _("Refused"),
        "ended": _("Over"),
    }  # fmt: skip
    return words[state]


def approval_word(state: str) -> str:
    """How a request for two persons stands."""
    words = {
        "asked": _("Waits for a second person"), "done": _("Agreed"), "refused": _("Refused"),
        "expired": _("Nobody agreed in time"),
    }  # fmt: skip
    return words[state]


def role_word(key: str) -> str:
    """An operators' role."""
    words = {
        "platform": pgettext("role", "Platform"), "support": pgettext("role", "Support"),
        "billing": pgettext("role", "Billing"), "auditor": pgettext("role", "Auditor"),
    }  # fmt: skip
    return words.get(key, key)


def verb_word(verb: str) -> str:
    """What an operator did, as a sentence's start; an unknown verb stands as it is."""
    words = {
        "company.suspended": _("Suspended"), "company.resumed": _("Opened again"),
        "company.retried": _("Had it made again"), "company.noted": _("Left a note"),
        "company.upgrades_planned": _("Planned its upgrades"),
        "company.limited": _("Changed a limit"),
        "task.retried": _("Sent a failed task again"),
        "task.dismissed": _("Put a failed task away"), "mail.retried": _("Tried mails again"),
        "approval.asked": _("Asked for a second person"),
        "approval.agreed": _("Agreed as the second person"),
        "approval.refused": _("Refused as the second person"),
        "approval.expired": _("Nobody agreed in time"),
        "support.asked": _("Asked for support access"),
        "support.granted": _("The company agreed to support access"),
        "support.refused": _("The company refused support access"),
        "support.entered": _("Came in as support"), "support.ended": _("The support visit ended"),
        "support.viewed": _("Looked at a page as support"),
        "support.changed": _("Changed something as support"),
        "invitation.sent": _("Invited"), "invitation.resent": _("Invited again"),
        "invitation.revoked": _("Withdrew the invitation"),
        "person.added": _("Added"), "person.joined": _("Joined"),
        "person.role_changed": _("Changed the role"), "person.deactivated": _("Deactivated"),
        "person.reactivated": _("Reactivated"), "person.profile_changed": _("Changed the profile"),
        "person.password_changed": _("Changed the password"),
        "person.password_reset": _("Reset the password"),
        "person.mail_changed": _("Changed the mail address"),
        "second_factor.enrolled": _("Set up the second factor"),
        "second_factor.confirmed": _("Signed in with the second factor"),
        "second_factor.recovered": _("Signed in with a recovery code"),
        "second_factor.codes_renewed": _("Made new recovery codes"),
        "second_factor.reset": _("Reset the second factor"),
        "audit.exported": _("Exported the audit"),
        "backup.asked": _("Had a backup made"),
        "backup.restored": _("Had a backup restored beside it"),
        "backup.swapped": _("Put a restored company in its place"),
        "backup.swapped_back": _("Took the exchange back"),
        "release.checked": _("Had the release tried on copies"),
        "release.planned": _("Planned the release"), "release.started": _("Started the release"),
        "release.stopped": _("Stopped the release"), "release.set": _("Changed how upgrades run"),
        "release.retried": _("Tried the upgrade again"), "release.held": _("Held the upgrade"),
        "release.rolled_back": _("Rolled the upgrade back"),
        "release.wave_back": _("Had a wave rolled back"),
        "billing.transfer_recorded": _("Recorded a transfer"),
        "billing.payment_undone": _("Undid a payment"),
        "billing.invoice_credited": _("Credited an invoice"),
        "billing.sent_again": _("Sent a command to the payment service again"),
        "billing.event_replayed": _("Had an event of the payment service looked up again"),
        "billing.compared": _("Compared the payment service with our books"),
        "billing.coupon_given": _("Gave a coupon"), "billing.credit_given": _("Gave credit"),
        "billing.credit_withdrawn": _("Withdrew credit"),
        "coupon.added": _("Added a coupon"), "coupon.ended": _("Ended a coupon"),
        "plan.moved": _("Had companies moved to another version"),
        "plan.move_undone": _("Took the move to another version back"),
        "plan.added": _("Added a plan"), "plan.drafted": _("Drafted the next version of a plan"),
        "plan.changed": _("Changed a plan’s draft"), "plan.published": _("Published a plan"),
    }  # fmt: skip
    return words.get(verb, verb)


def event_word(verb: str, facts: dict[str, Any]) -> str:
    """What happened to a company; an unknown verb stands as it is."""
    if verb == "company.moved":
        return f"{state_word(facts['from'])} → {state_word(facts['to'])}"
    words = {
        "company.opened": _("Made and opened"), "company.removed": _("Closed for good"),
        "company.warned": _("Owners were warned"), "owners.told": _("Owners were told"),
        "owner.asked": _("An owner asked for help"), "company.prolonged": _("Given more time"),
        "company.erased": _("Erased"), "erasure.requested": _("Erasure asked for"),
        "erasure.withdrawn": _("Erasure withdrawn"), "erasure.begun": _("Erasure begun"),
        "address.renamed": _("Address changed"), "domain.claimed": _("Own domain asked for"),
        "domain.proven": _("Own domain proven"), "domain.released": _("Own domain released"),
        "upgrades.chosen": _("It chose when it is updated"),
        "upgrades.hurried": _("It asked to be updated at once"),
        "feature.switched": _("It switched a new feature on or off"),
        "limit.ended": _("A limit of its own ended"),
        "domain.primary": _("Leading address chosen"), "domain.failing": _("Own domain fails"),
    }  # fmt: skip
    return words.get(verb, verb)


def actor_word(actor: str) -> str:
    """Who it was: the service itself, or the name or address that was kept."""
    ours = {"service": "Rapport", "clock": "Rapport", access.ACTOR: _("Billing")}
    return ours.get(actor, actor)


def fact_word(name: str) -> str:
    """The name of a fact in the audit; an unknown one stands as it is."""
    words = {
        "asked by": _("Asked by"), "companies": _("Companies"), "company's": _("Answered by"),
        "early_percent": _("Share of the early ring"), "error": _("Error"), "ip": _("Address"),
        "longest_wait_days": _("Longest wait in days"), "may_write": _("May change things"),
        "minutes": _("Minutes"), "name": _("Name"), "email": _("Email"), "role": _("Role"),
        "operator": _("Operator"), "parallel": _("Workers at once"), "ring": _("Ring"),
        "spares": _("Spare schemas"), "company": _("Company"),
        "upgrade_after": _("Waits until"), "until": _("Until"), "window_from": _("Window from"),
        "window_to": _("Window to"), "amount": _("Amount"), "reference": _("Bank reference"),
        "received_on": _("Day received"), "invoice": _("Invoice"),
        "credit_note": _("Credit note"), "coupon": _("Coupon"), "off": _("Taken off"),
        "version": _("Version"), "key": pgettext("plan", "Key"), "address": _("Address"),
        "wave": _("Wave"), "page": pgettext("history", "Page"),
        "method": pgettext("history", "Way of asking"), "visit": pgettext("history", "Visit"),
        "visitor": pgettext("history", "Visitor"), "agreed_by": _("Answered by"),
    }  # fmt: skip
    return words.get(name, name)


def value_word(value: object) -> object:
    """A fact's value in the audit: yes and no in words, old and new one with an arrow."""
    if isinstance(value, list):
        return " → ".join(str(value_word(each)) for each in value)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return value


def limit_word(kind: str) -> str:
    """What is limited."""
    return {
        "api_requests": _("API requests a minute, all keys"),
        "api_key_requests": _("API requests a minute, each key"),
        "long_jobs": _("Long jobs at once"), "imports": _("Imports waiting or running"),
        "import_rows": _("Rows of an import"), "import_mb": _("MB of an import"),
        "contacts": _("Contacts and companies"), "pipelines": _("Pipelines"),
        "custom_fields": _("Fields of its own"), "storage_mb": _("MB of storage"),
    }[kind]  # fmt: skip


def release_word(state: str) -> str:
    """How far a release is."""
    return {
        "built": _("Built"), "planned": _("Planned"), "running": _("Running"),
        "stopped": _("Stopped"), "done": pgettext("release", "Done"),
    }[state]  # fmt: skip


def run_word(state: str) -> str:
    """How far a wave, or a company in it, is."""
    return {
        "waiting": _("Waiting"), "running": _("Running"), "data": _("Moving data"),
        "done": pgettext("release", "Done"), "failed": _("Failed"), "held": _("Held"),
        "back": _("Rolled back"), "stopped": _("Stopped"),
    }[state]  # fmt: skip


def backup_word(state: str) -> str:
    """How far a backup is."""
    words = {
        "waiting": pgettext("backup", "Waiting"), "running": pgettext("backup", "Being made"),
        "done": pgettext("backup", "Made"), "failed": pgettext("backup", "Failed"),
        "removed": pgettext("backup", "Removed"),
    }  # fmt: skip
    return words[state]


def restore_word(state: str) -> str:
    """How far a restore is."""
    words = {
        "running": pgettext("backup", "Being restored"), "done": pgettext("backup", "Restored"),
        "failed": pgettext("backup", "Refused"), "swapped": pgettext("backup", "In its place"),
    }  # fmt: skip
    return words[state]


def check_word(check: str) -> str:
    """What was looked at after an upgrade; anything else is a step that moved rows."""
    words = {
        "fingerprint": pgettext("check", "tables"), "reads": pgettext("check", "reading"),
        "constraints": pgettext("check", "rules"),
    }  # fmt: skip
    return words.get(check, pgettext("check", "records"))


def dry_run_word(state: str) -> str:
    """How a release fares on a copy of one company."""
    return {
        "waiting": _("Waiting"), "running": _("Running"), "green": _("Went well"),
        "red": _("Went wrong"),
    }[state]  # fmt: skip


def lock_word(mode: str) -> str:
    """What a table's lock means to the people at work."""
    if mode in ("AccessExclusiveLock", "ExclusiveLock"):
        return _("everybody waits")
    if mode in ("ShareRowExclusiveLock", "ShareLock"):
        return _("whoever writes waits")
    return _("nobody waits")


def ring_word(ring: str) -> str:
    """The name of a ring: who is upgraded when."""
    words = {
        "canary": _("First (canary)"), "early": _("Early"), "rest": _("The rest"),
    }  # fmt: skip
    return words.get(ring, ring)


def reader_word(role: str) -> str:
    """Whom a piece of news is for."""
    words = {
        "all": _("For everybody"), "owner": pgettext("role", "Owner"),
        "admin": pgettext("role", "Admin"), "manager": pgettext("role", "Manager"),
        "member": pgettext("role", "Member"), "viewer": pgettext("role", "Viewer"),
    }  # fmt: skip
    return words.get(role, role)


def topic_word(topic: str) -> str:
    """The first word of a verb: what it is about."""
    words = {
        "release": _("Releases"), "company": _("Companies"), "invitation": _("Invitations"),
        "person": _("Operators"),
        "second_factor": _("Second factor"), "audit": _("Audit"),
        "task": _("Background work"), "mail": _("Mails"), "support": _("Support access"),
        "approval": _("Two persons"), "coupon": _("Coupons"),
        "password": _("Passwords"), "billing": pgettext("topic", "Billing"), "plan": _("Plans"),
    }  # fmt: skip
    return words.get(topic, topic)

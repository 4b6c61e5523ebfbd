"""Which operator may do what: the one table. Every address of the console names its ability."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext as _

from crm_platform.identity.models import User
from crm_platform.identity.roles import RoleSpec
from crm_platform.kernel.errors import NotAllowed

SUPPORT, BILLING, PLATFORM, AUDITOR = "support", "billing", "platform", "auditor"
ROLES = (PLATFORM, SUPPORT, BILLING, AUDITOR)
EVERYBODY = frozenset(ROLES)
TABLE: dict[str, frozenset[str]] = {
    # ability               who has it
    "companies.view":       EVERYBODY,
    "companies.suspend":    frozenset({PLATFORM, BILLING}),
    "companies.retry":      frozenset({PLATFORM, SUPPORT}),
    "companies.upgrades":   frozenset({PLATFORM}),
    "companies.limits":     frozenset({PLATFORM}),
    "companies.note":       frozenset({PLATFORM, SUPPORT, BILLING}),
    "releases.view":        EVERYBODY,
    "releases.run":         frozenset({PLATFORM}),
    "operators.view":       frozenset({PLATFORM, AUDITOR}),
    "operators.manage":     frozenset({PLATFORM}),
    "audit.view":           frozenset({PLATFORM, AUDITOR}),
    "audit.export":         frozenset({PLATFORM, AUDITOR}),
    "queues.view":          frozenset({PLATFORM, SUPPORT, AUDITOR}),
    "queues.retry":         frozenset({PLATFORM, SUPPORT}),
    "outbox.view":          frozenset({PLATFORM, SUPPORT, AUDITOR}),
    "outbox.retry":         frozenset({PLATFORM, SUPPORT}),
    "backups.view":         frozenset({PLATFORM, SUPPORT, AUDITOR}),
    "backups.act":          frozenset({PLATFORM}),
    "approvals.view":        frozenset({PLATFORM, AUDITOR}),
    "approvals.ask":         frozenset({PLATFORM}),
    "approvals.decide":      frozenset({PLATFORM}),
    "support.view":          frozenset({PLATFORM, SUPPORT, AUDITOR}),
    "support.ask":           frozenset({PLATFORM, SUPPORT}),
    "funnel.view":          EVERYBODY,
    "billing.view":         EVERYBODY,
    "billing.act":          frozenset({PLATFORM, BILLING}),
    "billing.plans":        frozenset({PLATFORM, BILLING}),
    "demo_mail.view":       frozenset({PLATFORM, SUPPORT}),
}  # fmt: skip
"""The mails of the demo hold one-time links: an auditor does not read them."""


def _spec(key: str, name: str, *more: str) -> RoleSpec:
    return RoleSpec(key, name, {}, ("console", *more))


# `users.manage` is identity's own ability: its services ask the actor's row for it.
ROLE_SPECS = (
    _spec(PLATFORM, "Platform", "users.manage"),
    _spec(SUPPORT, "Support"),
    _spec(BILLING, "Billing"),
    _spec(AUDITOR, "Auditor"),
)


def may(user: Any, ability: str) -> bool:
    """Whether the operator's role has the ability. No query.

    Raises:
        KeyError: the table has no such ability.
    """
    return isinstance(user, User) and user.is_active and user.role.key in TABLE[ability]


def demand(user: Any, ability: str) -> None:
    """Refuse an operator whose role lacks `ability`.

    Raises:
        NotAllowed: it does.
    """
    if not may(user, ability):
        raise NotAllowed(_("Your role does not allow this. Ask a platform operator."))


def abilities_of(user: Any) -> Iterable[str]:
    """What the operator may do, for templates that show or hide a button."""
    return [ability for ability in TABLE if may(user, ability)]

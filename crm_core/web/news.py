"""What is new in the releases a company stands at or has passed, for one reader."""

from dataclasses import dataclass

from django.utils.translation import get_language, pgettext

from crm_platform.identity.models import User
from crm_platform.identity.roles import EVERYBODY, SYSTEM_ROLES, audiences_of
from crm_platform.kernel import tenancy
from tenants.upgrades import whats_new

READ = "news_read"
"""The preference that holds the newest release a person has read of."""


@dataclass(frozen=True, slots=True)
class Part:
    """Sentences for some readers; `role` is empty for everybody, else in the reader's words."""

    role: str
    sentences: list[str]


@dataclass(frozen=True, slots=True)
class Item:
    """One release as its reader sees it."""

    told: whats_new.Told
    parts: list[Part]
    is_new: bool


def _readers(user: User) -> tuple[str, ...]:
    return audiences_of(user.role.key, user.role.abilities)


def newest(user: User) -> str:
    """The newest release that has a word for this person; empty for none. No query."""
    return whats_new.newest_for(tenancy.current_company().release, _readers(user))


def is_unread(user: User) -> bool:
    """Whether there is something this person has not read. No query."""
    found = newest(user)
    return bool(found) and user.preferences.get(READ) != found


def items_for(user: User) -> list[Item]:
    """Every release that has a word for this person, the newest first. No query."""
    readers, language = _readers(user), get_language() or whats_new.ENGLISH
    names = {spec.key: spec.name for spec in SYSTEM_ROLES}
    read, is_new, found = user.preferences.get(READ), is_unread(user), []
    for told in whats_new.told_at(tenancy.current_company().release):
        is_new = is_new and told.version != read
        parts = [
            Part("" if reader == EVERYBODY else pgettext("role", names[reader]), sentences)
            for reader in readers
            if (sentences := told.sentences(reader, language))
        ]
        if parts:
            found.append(Item(told, parts, is_new))
            is_new = is_new and read is not None  # to a newcomer the older ones are history
    return found


def mark_read(*, actor: User) -> None:
    """Note that the person has read the newest; a second time changes nothing.

    In a read-only company it is noted all the same, after the running transaction.
    """
    version = newest(actor)
    if not is_unread(actor):
        return
    actor.preferences = {**actor.preferences, READ: version}

    def note() -> None:
        row = User.objects.select_for_update().get(pk=actor.pk)
        row.preferences = {**row.preferences, READ: version}
        row.save(update_fields=["preferences"])

    tenancy.keep_note(note)

"""Checks of who is let in and what they see: sessions, hosts, records, half-built companies."""

from typing import Any

from django.test import Client
from django.utils import timezone

from crm_core.registry import record_types
from crm_core.registry.queries import get_visible, trash_of, visible_to
from crm_platform.identity import rules
from crm_platform.identity.models import Session
from crm_platform.identity.roles import VERBS
from crm_platform.identity.services import sessions
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import NotFound
from tenants import queries
from tests import factories
from tests.isolation.matrix import undone
from tests.kernel.figures import Figures

Pair = tuple[tenancy.Scope, tenancy.Scope]
STRANGE_HOSTS = (
    "nobody.testserver", "evil.example", "127.0.0.1", "localhost", "wallone.evil.example",
    "wallone", "xwallone.testserver", "wallone.testserver.evil.example",
)  # fmt: skip


def copied_sessions(pair: Pair) -> Figures:
    """A session row copied into another company, as a clone or a restore does (T8)."""
    found = Figures()
    one, other = pair
    with undone(one):
        person = factories.user()
        _name, secret = factories.session_cookie(one, person)
        live = sessions.live_session(secret, at=timezone.now())
        found.judge(is_right=live is not None, note="the control is refused")
        Session.objects.filter(user=person).update(company_id=other.id)
        copied = sessions.live_session(secret, at=timezone.now())
        found.judge(is_right=copied is None, note="a copied session was honoured")
    return found


def strange_hosts(pair: Pair) -> Figures:
    """A host nobody has shows nobody's pages (T16, T17)."""
    found = Figures()
    for host in STRANGE_HOSTS:
        answer = Client(headers={"host": host}).get("/sign-in/")
        shown = any(scope.name in answer.content.decode() for scope in pair)
        found.judge(is_right=answer.status_code == 404 and not shown, note=host)
    return found


def others_records(pair: Pair) -> Figures:
    """Records of somebody else, for a person who sees and changes only their own (T23)."""
    found = Figures()
    with undone(pair[0]):
        role = factories.custom_role({"*": dict.fromkeys(VERBS, "own")})
        person, somebody = factories.user(role=role), factories.user(role="owner")
        for kind in record_types():
            mine = factories.record(kind.name, person)
            theirs = factories.record(kind.name, somebody)
            seen = set(visible_to(person, kind).values_list("pk", flat=True))
            found.judge(is_right=mine.pk in seen, note=f"{kind.name}: the control is hidden")
            found.judge(is_right=theirs.pk not in seen, note=f"{kind.name}: listed")
            for verb in ("view", "edit", "delete"):
                may = rules.may(person, verb, kind.name, theirs)
                found.judge(is_right=not may, note=f"{kind.name}: may {verb}")
            found.judge(is_right=not _opens(person, kind, theirs.pk), note=f"{kind.name}: opened")
            kind.model._default_manager.filter(pk=theirs.pk).update(deleted_at=timezone.now())
            gone = set(trash_of(person, kind).values_list("pk", flat=True))
            found.judge(is_right=theirs.pk not in gone, note=f"{kind.name}: in the trash")
    return found


def _opens(person: Any, kind: Any, pk: int) -> bool:
    try:
        get_visible(person, kind, pk)
    except NotFound:
        return False
    return True


def lacking_a_table(scope: tenancy.Scope) -> Figures:
    """A company that lacks a table answers 503 to everything, and nobody else does (T5)."""
    found = Figures()
    for path in ("/sign-in/", "/", "/deals/", "/api/v1/deals/"):
        client = Client(raise_request_exception=False, headers={"host": scope.host})
        found.judge(is_right=client.get(path).status_code == 503, note=path)
    return found


def stopped_companies(scope: tenancy.Scope) -> Figures:
    """A company in no working state opens no page and takes no work."""
    found = Figures()
    queries.forget_hosts()
    status = Client(headers={"host": scope.host}).get("/").status_code
    found.judge(is_right=status in (403, 404, 503), note=f"answers {status}")
    found.judge(is_right=queries.working_scope(scope.id) is None, note="takes work")
    return found

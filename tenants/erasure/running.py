"""Carrying an erasure out, step by step. It may be cut off anywhere and run again."""

import datetime as dt
import hashlib
import json
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import translation
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from crm_platform.identity.services import letters
from crm_platform.kernel import tenancy
from tenants import provisioning, queries
from tenants.backups import services as backups
from tenants.erasure import places
from tenants.lifecycle import changes, words
from tenants.models import Company, Domain, DomainClaim, Erasure, RetiredName

ERASED = "company.erased"
SETTLES = dt.timedelta(seconds=60)
"""How long other processes may still take the company for open (`queries.HOST_CACHE_SECONDS`)."""
STEPS = ("", "schema", "role", "measured", "emptied", "finished")


class NotGone(RuntimeError):
    """Something of the company still stands after every step: no proof may be written."""


def due_ids(*, at: dt.datetime) -> list[int]:
    """Erasures that have begun and are not finished. One query."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        found = Erasure.objects.filter(begun_at__lte=at - SETTLES, finished_at=None)
        return list(found.order_by("pk").values_list("pk", flat=True))


def run(*, erasure_id: int, at: dt.datetime) -> bool:
    """Carry an erasure on from where it stands; says whether it is finished.

    Two at once: the second does nothing.

    Raises:
        NotGone: something could not be removed.
    """
    row = _load(erasure_id)
    if row is None or row.begun_at is None:
        return False
    with provisioning.only_worker(row.company_id) as is_only:
        if not is_only:
            return False
        row = _load(erasure_id)
        if row is None or row.finished_at is not None:
            return row is not None
        company = _company(row.company_id)
        for step in STEPS[STEPS.index(row.step) + 1 :]:
            _STEPS[step](erasure_id, company, at)
    queries.forget_hosts()
    return True


def _load(erasure_id: int) -> Erasure | None:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Erasure.objects.filter(pk=erasure_id).first()


def _company(company_id: UUID) -> Company:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return Company.objects.get(pk=company_id)


def _keep(erasure_id: int, step: str, **facts: Any) -> None:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        row = Erasure.objects.select_for_update().get(pk=erasure_id)
        row.step, row.facts = step, {**row.facts, **facts}
        row.save(update_fields=["step", "facts"])


def _schema(erasure_id: int, company: Company, _at: dt.datetime) -> None:
    places.drop_schema(company.schema_name, erasure_id=erasure_id)


def _role(erasure_id: int, company: Company, _at: dt.datetime) -> None:
    places.drop_role(company.schema_name)
    _keep(erasure_id, "role")


def _measured(erasure_id: int, company: Company, _at: dt.datetime) -> None:
    files, file_bytes = places.files_of(company.pk)
    cached, queued = len(places.cache_keys_of(company.pk)), len(places.queued_of(company.pk))
    facts = {"files": files, "file_bytes": file_bytes, "cache_keys": cached, "queued": queued}
    _keep(erasure_id, "measured", **facts)


def _emptied(erasure_id: int, company: Company, at: dt.datetime) -> None:
    places.remove_files(company.pk)
    places.remove_cache_keys(company.pk)
    places.remove_queued(company.pk)
    backups.forget_company(company_id=company.pk, at=at)
    _keep(erasure_id, "emptied")


def _finished(erasure_id: int, company: Company, at: dt.datetime) -> None:
    """Clean the register, look once more, and write the proof; one transaction."""
    left = places.what_is_left(company.schema_name, company.pk)
    if left:
        raise NotGone(f"Of company {company.pk} there is still: {', '.join(left)}.")
    with tenancy.unit_of_work(tenancy.PLATFORM):
        changes.lock(company.pk)
        row = Erasure.objects.select_for_update().get(pk=erasure_id)
        names = _clean_register(company, at)
        owners = row.facts.pop("owners", [])
        row.step, row.finished_at = "finished", at
        row.proof = proof_of(row, company, names)
        row.sha256 = digest(row.proof)
        row.save()
        facts = {"sha256": row.sha256, "rule": row.rule, "erasure": row.pk}
        changes.note(company.pk, ERASED, actor=row.confirmed_by or "clock", at=at, facts=facts)
        for owner in owners:
            _write(owner, company.name, row.sha256, at)


_STEPS = {
    "schema": _schema, "role": _role, "measured": _measured, "emptied": _emptied,
    "finished": _finished,
}  # fmt: skip


def _clean_register(company: Company, at: dt.datetime) -> list[str]:
    """Take the company's hosts and people out of the register; returns the names retired."""
    DomainClaim.objects.filter(company_id=company.pk).delete()
    domains = Domain.objects.filter(company_id=company.pk)
    domains.exclude(kind=Domain.Kind.OWN).delete()
    domains.filter(released_at=None).update(released_at=at, is_primary=False, token="")
    names = [company.slug, company.schema_name]
    for name in names:
        RetiredName.objects.get_or_create(name=name, defaults={"retired_at": at})
    Company.objects.filter(pk=company.pk).update(
        pending_owner=None, user_count=0, size_bytes=0, state_until=None
    )
    for dotted in settings.COMPANY_ERASERS:
        import_string(dotted)(company_id=company.pk)
    return names


def proof_of(row: Erasure, company: Company, names: list[str]) -> dict[str, Any]:
    """What was erased, when, and by which rule or which two people; nothing of its contents."""
    moments = {"requested": row.requested_at, "begun": row.begun_at, "finished": row.finished_at}
    return {
        "company": str(company.pk), "name": company.name, "names_retired": names,
        "rule": row.rule, "reason": row.reason, "requested_by": row.requested_by,
        "confirmed_by": row.confirmed_by,
        **{f"{key}_at": value.isoformat() if value else None for key, value in moments.items()},
        **row.facts,
    }  # fmt: skip


def digest(proof: dict[str, Any]) -> str:
    """The SHA-256 of a proof's canonical JSON (sorted keys, no spaces, UTF-8)."""
    text = json.dumps(proof, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _write(owner: dict[str, str], house: str, sha256: str, at: dt.datetime) -> None:
    with translation.override(owner["language"]):
        letters.post(
            to=owner["email"], subject=words.happened(Company.State.ERASED, house), at=at,
            paragraphs=[
                _("Hello %(name)s,") % {"name": owner["name"]},
                words.now(Company.State.ERASED),
                _("We keep a record of what was erased. Its SHA-256 is %(sum)s.")
                % {"sum": sha256},
            ],
        )  # fmt: skip

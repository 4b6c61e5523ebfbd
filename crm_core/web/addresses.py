"""The company's addresses, changed by its admins: the platform's rows first, then its history.

Every function opens units of work of its own, one after the other: call it from `afterwards`.
"""

import datetime as dt

from crm_core.audit import services as audit
from crm_core.web.acting import demand_setter, name_of
from crm_platform.identity.models import User
from crm_platform.identity.services import sessions
from crm_platform.kernel import tenancy
from tenants.addresses import own, renaming
from tenants.models import Company


def _note(actor: User, verb: str, host: str, at: dt.datetime) -> None:
    changes = {"host": [None, host]}
    audit.record(actor=actor, verb=verb, at=at, on_type="company", changes=changes)


def rename_address(*, slug: str, actor: User, at: dt.datetime) -> Company:
    """Give the company another address; everybody signs in anew there.

    A session is good for one host only, so none can move along: all of them end.

    Raises:
        NotAllowed: the actor does not set the company up.
        Invalid, Conflict: as `renaming.rename`.
    """
    scope = demand_setter(actor)
    company = renaming.rename(company_id=scope.id, slug=slug, actor=name_of(actor), at=at)
    if company.slug != scope.slug:
        with tenancy.unit_of_work(scope):
            _note(actor, "address.changed", renaming.host_of(company.slug), at)
            sessions.end_all()
    return company


def claim_host(*, host: str, actor: User, at: dt.datetime) -> None:
    """Begin to prove a host name of one's own.

    Raises:
        NotAllowed, Invalid, Conflict: as `own.claim`.
    """
    scope = demand_setter(actor)
    made = own.claim(company_id=scope.id, host=host, actor=name_of(actor), at=at)
    with tenancy.unit_of_work(scope):
        _note(actor, "domain.added", made.host, at)


def prove_host(*, host: str, actor: User, at: dt.datetime) -> None:
    """Ask DNS whether the host is the company's; from then on it answers.

    Raises:
        NotAllowed, NotFound, Conflict, Invalid: as `own.prove`.
    """
    scope = demand_setter(actor)
    own.prove(company_id=scope.id, host=host, actor=name_of(actor), at=at)
    with tenancy.unit_of_work(scope):
        _note(actor, "domain.proven", host, at)


def release_host(*, host: str, actor: User, at: dt.datetime) -> None:
    """Give a host name back.

    Raises:
        NotAllowed, NotFound: as `own.release`.
    """
    scope = demand_setter(actor)
    own.release(company_id=scope.id, host=host, actor=name_of(actor), at=at)
    with tenancy.unit_of_work(scope):
        _note(actor, "domain.removed", host, at)


def lead_with(*, host: str, actor: User, at: dt.datetime) -> None:
    """Make a host the one that pages and mails use.

    Raises:
        NotAllowed, NotFound: as `own.lead`.
    """
    scope = demand_setter(actor)
    own.lead(company_id=scope.id, host=host, actor=name_of(actor), at=at)
    with tenancy.unit_of_work(scope):
        _note(actor, "address.changed", host, at)

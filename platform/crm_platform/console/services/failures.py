"""Tasks that failed: kept, sent again, put away."""

import datetime as dt
import json
import logging
import traceback
from pathlib import Path
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import DatabaseError, transaction
from django.utils.translation import gettext as _

from crm_platform.console import rules
from crm_platform.console.models import TaskFailure
from crm_platform.console.services import audit
from crm_platform.identity.models import User
from crm_platform.identity.onetime import hash_of
from crm_platform.kernel import tasks, tenancy
from crm_platform.kernel.errors import Conflict, NotFound
from tenants.queries import working_scope

logger = logging.getLogger("rapport.console")
ROOT = Path(__file__).resolve().parents[4]


def record(
    *, task: str, company_id: UUID, arguments: dict[str, Any], error: BaseException,
    at: dt.datetime,
) -> None:  # fmt: skip
    """Keep that a task failed for good, or count it once more. Opens its own unit of work.

    It must never hide the failure it tells of, so what goes wrong here is only logged.
    """
    ids = {name: value for name, value in arguments.items() if _is_id(value)}
    about = None if company_id == tenancy.PLATFORM.id else company_id
    key = json.dumps([task, str(about), sorted(arguments), ids], sort_keys=True)
    values = {"error": where(error), "last_at": at, "resolved_at": None}
    try:
        with tenancy.unit_of_work(tenancy.PLATFORM):
            row, is_new = TaskFailure.objects.select_for_update().get_or_create(
                key_hash=hash_of(key),
                defaults={**values, "task": task, "company_id": about, "arguments": ids,
                          "names": sorted(arguments), "first_at": at},
            )  # fmt: skip
            if not is_new:
                again = {**values, "attempts": row.attempts + 1}
                TaskFailure.objects.filter(pk=row.pk).update(**again)
    except DatabaseError:
        logger.warning("The failure of %s could not be kept", task, exc_info=True)


def _is_id(value: Any) -> bool:
    """Numbers and UUIDs name a row; any other text may be somebody's."""
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return True
    try:
        return str(UUID(str(value))) == str(value).lower()
    except ValueError:
        return False


def where(error: BaseException) -> str:
    """The exception's class and our last line it came through; its message may hold a row."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if ROOT in Path(f.filename).parents and ".venv" not in f.filename]
    name = type(error).__name__
    if not ours:
        return name
    path = Path(ours[-1].filename).relative_to(ROOT)
    return f"{name}, {path}:{ours[-1].lineno}, {ours[-1].name}"[:300]


def _locked_open(pk: int) -> TaskFailure:
    row = TaskFailure.objects.select_for_update().filter(pk=pk, resolved_at=None).first()
    if row is None:
        raise NotFound(_("This failure is no longer open."))
    return row


@transaction.atomic
def retry(*, failure_id: int, actor: User, at: dt.datetime) -> TaskFailure:
    """Send the task again, once this is kept; should it fail, the failure opens anew.

    Raises:
        NotAllowed: the actor's role does not allow it.
        NotFound: it was put away meanwhile.
        Conflict: its arguments are not known, the task is gone, or the company may not work.
    """
    rules.demand(actor, "queues.retry")
    row = _locked_open(failure_id)
    task = current_app.tasks.get(row.task)
    scope = working_scope(row.company_id) if row.company_id else tenancy.PLATFORM
    if task is None or not row.can_retry:
        raise Conflict(_("This task cannot be sent again from here: its arguments are not kept."))
    if scope is None:
        raise Conflict(_("The company does not work now. Open it first, then try again."))
    arguments = dict(row.arguments)
    transaction.on_commit(lambda: tasks.send(task, scope, **arguments), robust=True)
    return _resolve(row, "task.retried", actor=actor, at=at)


@transaction.atomic
def dismiss(*, failure_id: int, actor: User, at: dt.datetime) -> TaskFailure:
    """Put a failure away without trying again.

    Raises:
        NotAllowed, NotFound: as `retry`.
    """
    rules.demand(actor, "queues.retry")
    return _resolve(_locked_open(failure_id), "task.dismissed", actor=actor, at=at)


def _resolve(row: TaskFailure, verb: str, *, actor: User, at: dt.datetime) -> TaskFailure:
    row.resolved_at = at
    row.save(update_fields=["resolved_at"])
    audit.record(
        actor=actor, verb=verb, at=at, object_type="task", object_id=row.pk, title=row.task,
        company_id=row.company_id,
    )  # fmt: skip
    return row

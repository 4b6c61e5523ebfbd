"""Background work that always knows its company.

The company's UUID travels in the message's headers; the base task refuses a message without
one, for an unknown company or for one that may not work, and runs the body as one unit of work.
"""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from uuid import UUID

from celery import Task, shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from crm_platform.kernel import counting, tenancy
from crm_platform.kernel.errors import NoCompany
from crm_platform.kernel.limits import Limit, limit_of

ENVELOPE = "rapport_company"
ENVELOPE_VERSION = 1
SENT_AT = "rapport_sent_at"
"""The header that says when a message was sent, so that a queue can say how old its oldest is."""

LONG = "long"
"""The queue of minutes-long work; workers of its own take it, so that mails never wait for it."""
PLACE_LEASE = dt.timedelta(minutes=2)
COME_BACK_SECONDS = 5
_place: ContextVar[str] = ContextVar("rapport_place", default="")


class Refused(RuntimeError):
    """The message names no company that may work now. It is not tried again."""


def scope_of_message(headers: dict[str, Any] | None) -> tenancy.Scope:
    """The scope a message was sent for.

    Raises:
        Refused: no envelope, an unknown version, or a company that is absent or stopped.
    """
    envelope = (headers or {}).get(ENVELOPE)
    if not isinstance(envelope, dict) or envelope.get("version") != ENVELOPE_VERSION:
        raise Refused("The message carries no company.")
    try:
        company_id = UUID(str(envelope.get("id")))
    except ValueError as error:
        raise Refused("The message carries no company.") from error
    if company_id == tenancy.PLATFORM.id:
        return tenancy.PLATFORM
    scope: tenancy.Scope | None = import_string(settings.COMPANY_RESOLVER)(company_id)
    if scope is None:
        raise Refused(f"No working company has the id {company_id}.")
    return scope


class CompanyTask(Task):  # type: ignore[type-arg]  # celery's Task takes no parameters at run time
    """Runs its body in the company of its message; `platform = True` also allows the platform."""

    abstract = True
    acks_late = True
    reject_on_worker_lost = True
    atomic_body = True
    platform = False
    while_read_only = False
    """Whether it may run, and write, in a company that is read-only: sending mail does."""
    long = False
    """Whether it is one of a company's long jobs, of which only so many are at work at once."""

    def on_failure(
        self, exc: Exception, _task_id: str, _args: Any, kwargs: dict[str, Any], _einfo: Any
    ) -> None:
        """Called by Celery when a task has failed for good: somebody above keeps a note of it."""
        dotted = getattr(settings, "TASK_FAILURE_RECORDER", "")
        if not dotted or isinstance(exc, Refused):
            return
        sent_for = (self.request.headers or {}).get(ENVELOPE) or {}
        import_string(dotted)(
            task=str(self.name), company_id=UUID(str(sent_for["id"])), arguments=kwargs,
            error=exc, at=timezone.now(),
        )  # fmt: skip

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        scope = scope_of_message(self.request.headers)
        if scope.is_platform != self.platform:
            raise Refused("This task is not for that kind of company.")
        if not scope.writable:
            if not self.while_read_only:
                raise Refused("The company is read-only: nothing is changed there.")
            scope = tenancy.for_keeping(scope)
        if not self.long or scope.is_platform:
            return self._work(scope, args, kwargs)
        with tenancy.choose(scope), _place_of(str(self.request.id or self.name)) as is_free:
            if not is_free:
                come_back(self, seconds=COME_BACK_SECONDS, **kwargs)
                return None
            return self._work(scope, args, kwargs)

    def apply_async(self, *args: Any, **options: Any) -> Any:
        """Send it, a long job into its own queue."""
        if self.long:
            options.setdefault("queue", LONG)
        return super().apply_async(*args, **options)

    def _work(self, scope: tenancy.Scope, args: Any, kwargs: dict[str, Any]) -> Any:
        if not self.atomic_body:
            with tenancy.choose(scope):
                return self.run(*args, **kwargs)
        with tenancy.unit_of_work(scope):
            return self.run(*args, **kwargs)


@contextmanager
def _place_of(holder: str) -> Iterator[bool]:
    """One of the company's places for long jobs, for the block; False where none is free."""
    most, began = limit_of(Limit.LONG_JOBS), timezone.now()
    if not counting.take_place(LONG, holder, most=most, lease=PLACE_LEASE, at=began):
        yield False
        return
    token = _place.set(holder)
    try:
        yield True
    finally:
        _place.reset(token)
        counting.leave_place(LONG, holder)
        ended = timezone.now()
        counting.use("long_ms", at=ended, count=int((ended - began).total_seconds() * 1000))


def keep_place(*, at: dt.datetime) -> None:
    """Say that the long job is still at work; to be called at least once in `PLACE_LEASE`."""
    if holder := _place.get():
        most = limit_of(Limit.LONG_JOBS)
        counting.take_place(LONG, holder, most=most, lease=PLACE_LEASE, at=at)


def come_back(task: Any, *, seconds: float, **kwargs: Any) -> None:
    """Send the running company's task again for in `seconds`; only one such message is on its way.

    Sweeps ring for the same work meanwhile, and every one of those messages would come back.
    """
    key = json.dumps(kwargs, sort_keys=True, default=str)
    if counting.first(f"comes back:{task.name}:{key}", seconds=seconds):
        headers = {**envelope(tenancy.current()), SENT_AT: timezone.now().isoformat()}
        task.apply_async(kwargs=kwargs, headers=headers, countdown=seconds)


def tenant_task(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Declare a task of a company: ids in, one service call, safe to run twice.

    A read-only company's is refused unless `while_read_only=True`.

    `atomic_body=False` leaves the transactions to the body (long work that checkpoints).
    `long=True` is for work of minutes: it waits in a queue of its own, and in a company for those
    before it (`Limit.LONG_JOBS`); where it takes long between two messages it calls `keep_place`.
    """
    return shared_task(base=CompanyTask, bind=False, ignore_result=True, **options)


def platform_task(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """Declare a task of the platform itself (provisioning, sweeping)."""
    return tenant_task(platform=True, **options)


def envelope(scope: tenancy.Scope) -> dict[str, Any]:
    return {ENVELOPE: {"id": str(scope.id), "version": ENVELOPE_VERSION}}


def later(task: Any, *, in_seconds: float = 0, **kwargs: Any) -> None:
    """Send `task` for the current company once the transaction is kept.

    The broker is only a doorbell: where it is away the request is kept all the same, and the
    sweeps find the work later.
    """
    scope = tenancy.current()
    if not transaction.get_connection().in_atomic_block:
        raise NoCompany("Background work is asked for inside a unit of work.")
    transaction.on_commit(lambda: send(task, scope, in_seconds=in_seconds, **kwargs), robust=True)


def send(task: Any, scope: tenancy.Scope, *, in_seconds: float = 0, **kwargs: Any) -> None:
    """Send `task` for `scope` now, to be taken up in so many seconds."""
    headers = {**envelope(scope), SENT_AT: timezone.now().isoformat()}
    task.apply_async(kwargs=kwargs, headers=headers, countdown=in_seconds or None)

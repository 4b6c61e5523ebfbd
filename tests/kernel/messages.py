"""Checks of background work (T11): every registered task, with every wrong envelope."""

import uuid
from typing import Any

from celery import Task, current_app

from crm_platform.kernel import tenancy
from crm_platform.kernel.tasks import ENVELOPE, Refused, envelope
from tests.kernel.figures import Figures


def our_tasks() -> list[Task]:
    """Every task of ours that a worker knows."""
    current_app.loader.import_default_modules()
    found = sorted(current_app.tasks.items())
    return [task for name, task in found if not name.startswith("celery.")]


def wrong_headers(task: Any, scope: tenancy.Scope, stopped: list[tenancy.Scope]) -> dict[str, Any]:
    """Messages that a task must refuse."""
    good = envelope(scope)[ENVELOPE]
    other_side = scope if task.platform else tenancy.PLATFORM
    return {
        "no headers": None,
        "no envelope": {"schema_name": scope.schema},
        "empty": {ENVELOPE: {}},
        "text": {ENVELOPE: scope.schema},
        "another version": {ENVELOPE: {**good, "version": 2}},
        "no version": {ENVELOPE: {"id": good["id"]}},
        "no uuid": {ENVELOPE: {**good, "id": "1 OR 1=1"}},
        "schema for id": {ENVELOPE: {**good, "id": scope.schema}},
        "unknown": {ENVELOPE: {**good, "id": str(uuid.uuid4())}},
        "the other kind": envelope(other_side),
        **{each.state: envelope(each) for each in stopped},
    }


def refused(scope: tenancy.Scope, stopped: list[tenancy.Scope]) -> Figures:
    """Send every task with every wrong envelope; its body must not run."""
    found = Figures()
    for task in our_tasks():
        for name, headers in wrong_headers(task, scope, stopped).items():
            result = task.apply(kwargs={}, headers=headers).result
            is_refused = isinstance(result, Refused)
            found.judge(is_right=is_refused, note=f"{task.name}, {name}: {result!r}"[:160])
    return found

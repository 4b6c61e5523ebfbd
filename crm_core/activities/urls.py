"""Addresses of activities."""

from django.urls import URLPattern, path

from crm_core.activities import views
from crm_core.registry import record_types

app_name = "activities"


def _of_kind(slug: str, name: str) -> list[URLPattern]:
    given = {"kind": name}
    return [
        path(f"{slug}/<int:record_id>/compose/", views.compose, given, name=f"{name}_compose"),
        path(
            f"{slug}/<int:record_id>/timeline/",
            views.record_timeline,
            given,
            name=f"{name}_timeline",
        ),
    ]


urlpatterns = [
    path("tasks/", views.tasks, name="tasks"),
    path("tasks/new/", views.task_new, name="task_new"),
    path("tasks/<int:activity_id>/finish/", views.finish, name="finish"),
    *[
        pattern
        for kind in record_types()
        if kind.name != "activity"
        for pattern in _of_kind(kind.slug, kind.name)
    ],
]

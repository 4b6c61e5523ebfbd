"""The addresses every kind of record has, spelled out for each, so that they can be listed."""

from django.urls import URLPattern, path

from crm_core.fields.views import bulk, edits, lists, saved
from crm_core.registry import RecordType, record_types

app_name = "records"


def _of_kind(kind: RecordType) -> list[URLPattern]:
    slug, name, given = kind.slug, kind.name, {"kind": kind.name}
    return [
        path(f"{slug}/", lists.record_list, given, name=f"{name}_list"),
        path(f"{slug}/new/", edits.record_new, given, name=f"{name}_new"),
        path(f"{slug}/pick/", lists.pick, given, name=f"{name}_pick"),
        path(f"{slug}/columns/", lists.columns, given, name=f"{name}_columns"),
        path(f"{slug}/trash/", bulk.trash, given, name=f"{name}_trash"),
        path(f"{slug}/restore/", bulk.restore, given, name=f"{name}_restore"),
        path(f"{slug}/bulk/edit/", bulk.bulk_edit, given, name=f"{name}_bulk_edit"),
        path(f"{slug}/bulk/assign/", bulk.bulk_assign, given, name=f"{name}_bulk_assign"),
        path(f"{slug}/bulk/tag/", bulk.bulk_tag, given, name=f"{name}_bulk_tag"),
        path(f"{slug}/bulk/delete/", bulk.bulk_delete, given, name=f"{name}_bulk_delete"),
        path(f"{slug}/views/new/", saved.view_new, given, name=f"{name}_view_new"),
        path(f"{slug}/views/<int:view_id>/", saved.view_change, given, name=f"{name}_view"),
        path(f"{slug}/<int:record_id>/delete/", bulk.record_delete, given, name=f"{name}_delete"),
        path(f"{slug}/<int:record_id>/star/", saved.star, given, name=f"{name}_star"),
        path(
            f"{slug}/<int:record_id>/field/<slug:name>/",
            edits.field_edit,
            given,
            name=f"{name}_field",
        ),
    ]


urlpatterns = [
    path("undo/", edits.undo, name="undo"),
    *[pattern for kind in record_types() for pattern in _of_kind(kind)],
]

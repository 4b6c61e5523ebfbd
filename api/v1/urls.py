"""Addresses of version 1; a kind of record that is registered has its own."""

from typing import Any

from django.urls import path, re_path
from rest_framework.routers import SimpleRouter

from api.v1 import configuration, described_billing
from api.v1.activities import ActivityViewSet
from api.v1.deals import DealViewSet
from api.v1.described import described, described_configuration
from api.v1.docs import docs
from api.v1.entry import Index, NoSuchAddress
from api.v1.records import RecordViewSet
from api.v1.schema import SchemaView
from api.v1.usage import Usage
from crm_core.registry import RecordType, record_types

app_name = "api"
SPECIAL: dict[str, type[RecordViewSet]] = {"deal": DealViewSet, "activity": ActivityViewSet}


def record_viewset(kind: RecordType) -> type[RecordViewSet]:
    """The viewset of one kind: the general one, or its own with more acts."""
    base = SPECIAL.get(kind.name, RecordViewSet)
    facts: dict[str, Any] = {"kind": kind, "__doc__": base.__doc__, "__module__": __name__}
    made: type[RecordViewSet] = described(kind, type(f"{kind.name}_records", (base,), facts))
    return made


router = SimpleRouter()
for _kind in record_types():
    router.register(_kind.slug, record_viewset(_kind), basename=_kind.slug)
for _slug, _name, _view in (
    ("pipelines", "Pipeline", configuration.PipelineViewSet),
    ("lost-reasons", "LostReason", configuration.LostReasonViewSet),
    ("users", "User", configuration.UserViewSet),
    ("teams", "Team", configuration.TeamViewSet),
    ("tags", "Tag", configuration.TagViewSet),
):
    router.register(_slug, described_configuration(_slug, _name, _view), basename=_slug)
for _slug, _view in (
    ("billing", described_billing.BILLING), ("invoices", described_billing.INVOICES),
    ("prices", described_billing.PRICES),
):  # fmt: skip
    router.register(_slug, _view, basename=_slug)

urlpatterns = [
    path("", Index.as_view(), name="index"),
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", docs, name="docs"),
    path("usage/", Usage.as_view(), name="usage"),
    *router.urls,
    re_path("^.*$", NoSuchAddress.as_view(), name="nothing"),
]

"""What the OpenAPI document says about each act; the schemas behind the names: `components`."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)

from api.errors import MEDIA_TYPE
from api.paging import MOST, USUAL
from crm_core.registry import RecordType

View = type[Any]


def ref(name: str) -> dict[str, Any]:
    """A schema by its name."""
    return {"$ref": f"#/components/schemas/{name}"}


def sent(name: str) -> dict[str, Any]:
    """A body of that schema."""
    return {"application/json": ref(name)}


def name_of(kind: RecordType) -> str:
    """The name of a kind's schema: `Deal`."""
    return kind.name.title().replace("_", "")


ID = OpenApiParameter(
    "id", {"type": "string", "pattern": "^[0-9]{1,18}$"}, "path", description=_("The record's id.")
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    "header",
    required=True,
    description=_("The ETag of the version you read, or * to overwrite whatever is there."),
)
IF_MATCH_OPTIONAL = OpenApiParameter(
    "If-Match",
    OpenApiTypes.STR,
    "header",
    description=_("The ETag of the version you read; left out, any version will do."),
)
PAGE = (
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MOST, "default": USUAL},
        "query",
        description=_("How many at once."),
    ),
    OpenApiParameter(
        "after",
        OpenApiTypes.STR,
        "query",
        description=_("Where the page begins; take it from `next`, never make it up."),
    ),
    OpenApiParameter(
        "count", OpenApiTypes.BOOL, "query", description=_("Also count all of them: `total`.")
    ),
)
LIST = (
    OpenApiParameter(
        "f",
        OpenApiTypes.STR,
        "query",
        many=True,
        description=_(
            "A filter as in the address of a list: `field.operator.value`, as `amount.gte.1000`, "
            "`stage.is.3|4`, `close_date.in.this_month`, `account.empty`. All of them must hold."
        ),
    ),
    OpenApiParameter("q", OpenApiTypes.STR, "query", description=_("Words the record holds.")),
    OpenApiParameter(
        "sort", OpenApiTypes.STR, "query", description=_("A field; with a minus it falls.")
    ),
)


def equals(kind: RecordType) -> OpenApiParameter:
    """`?field=value`: one parameter that stands for a name each."""
    return OpenApiParameter(
        "equals",
        ref(f"{name_of(kind)}Equals"),
        "query",
        style="form",
        explode=True,
        description=_("A field and the value it has; empty: it has none. Several values: any."),
    )


def answers(*refusals: int, **good: Any) -> dict[Any, Any]:
    """Responses of an act: `ok`, `created` or `gone`, and the refusals it may give."""
    status = {"ok": 200, "created": 201, "gone": 204}
    found: dict[Any, Any] = {
        status[word]: OpenApiResponse(response, description=str(status[word]))
        for word, response in good.items()
    }
    for code in (401, 403, 429, *refusals):
        found[(code, MEDIA_TYPE)] = OpenApiResponse(ref("Problem"), description=str(code))
    return found


def described(kind: RecordType, view: View) -> View:
    """The viewset of `kind` with what the document says about its acts."""
    name, tag = name_of(kind), kind.slug
    one, page = ref(name), ref(f"{name}Page")
    acts: dict[str, Any] = {
        "list": extend_schema(
            operation_id=f"list_{tag}",
            summary=_("List"),
            parameters=[*LIST, equals(kind), *PAGE],
            responses=answers(422, ok=page),
            tags=[tag],
        ),
        "retrieve": extend_schema(
            operation_id=f"read_{kind.name}",
            summary=_("Read one"),
            parameters=[ID],
            responses=answers(404, ok=one),
            tags=[tag],
        ),
        "create": extend_schema(
            operation_id=f"create_{kind.name}",
            summary=_("Make one"),
            request=sent(f"{name}Create"),
            responses=answers(400, *((402,) if kind.limit else ()), 413, 415, 422, created=one),
            tags=[tag],
        ),
        "partial_update": extend_schema(
            operation_id=f"edit_{kind.name}",
            summary=_("Change some facts"),
            parameters=[ID, IF_MATCH],
            request=sent(f"{name}Edit"),
            responses=answers(400, 404, 412, 413, 415, 422, 428, ok=one),
            tags=[tag],
        ),
        "destroy": extend_schema(
            operation_id=f"delete_{kind.name}",
            summary=_("Move to the trash"),
            parameters=[ID, IF_MATCH_OPTIONAL],
            responses=answers(404, 412, gone=None),
            tags=[tag],
        ),
        "restore": extend_schema(
            operation_id=f"restore_{kind.name}",
            summary=_("Bring back from the trash"),
            parameters=[ID],
            request=None,
            responses=answers(404, ok=one),
            tags=[tag],
        ),
    }
    if hasattr(view, "move"):
        acts["move"] = extend_schema(
            operation_id=f"move_{kind.name}",
            summary=_("Move to another stage"),
            parameters=[ID, IF_MATCH_OPTIONAL],
            request=sent(f"{name}Move"),
            responses=answers(400, 404, 412, 413, 415, 422, ok=one),
            tags=[tag],
        )
    return extend_schema_view(**acts)(view)


def described_configuration(slug: str, name: str, view: View) -> View:
    """A viewset of configuration with what the document says about it."""
    return extend_schema_view(
        list=extend_schema(
            operation_id=f"list_{slug.replace('-', '_')}",
            summary=_("List"),
            tags=[slug],
            parameters=[*PAGE],
            responses=answers(422, ok=ref(f"{name}Page")),
        ),
        retrieve=extend_schema(
            operation_id=f"read_{slug.replace('-', '_')}",
            summary=_("Read one"),
            tags=[slug],
            parameters=[ID],
            responses=answers(404, ok=ref(name)),
        ),
    )(view)

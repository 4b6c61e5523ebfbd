"""What can be imported, and the facts a column can go to."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_core.fields import catalogue
from crm_core.registry import Field, Kind, RecordType, record_type, record_types
from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel.errors import NotAllowed

PERSON = "person"
IDENTIFIERS = ("source_id", "email", "tax_number", "name", "mobile", "phone")
"""Facts that may tell which record a row is about, the surest first."""
_ABOUT = {
    "activity": (
        Field(
            name="about_contact", label=gettext_lazy("Contact"), kind=Kind.LINK, target="contact",
            header_words=("contact", "person", "聯絡人", "联系人"),
        ),
        Field(
            name="about_deal", label=gettext_lazy("Deal"), kind=Kind.LINK, target="deal",
            header_words=("deal", "opportunity", "opportunity id", "商機", "商机"),
        ),
    )
}  # fmt: skip
_PERSON_FIELDS = (
    Field(
        name="name", label=gettext_lazy("Name"), kind=Kind.TEXT, column="name", required=True,
        max_length=120,
        header_words=("name", "full name", "sales agent", "employee", "姓名", "業務員", "业务员"),
    ),
    Field(
        name="email", label=gettext_lazy("Mail"), kind=Kind.EMAIL, column="email", max_length=254,
        header_words=("email", "e-mail", "mail", "電子郵件", "邮箱"),
    ),
    Field(
        name="title", label=gettext_lazy("Title"), kind=Kind.TEXT, column="title", max_length=120,
        header_words=("title", "job title", "position", "職稱", "职位"),
    ),
    Field(
        name="phone", label=gettext_lazy("Phone"), kind=Kind.PHONE, column="phone", max_length=40,
        header_words=("phone", "telephone", "電話", "电话"),
    ),
    Field(
        name="manager", label=gettext_lazy("Manager"), kind=Kind.TEXT, column="manager",
        max_length=120, header_words=("manager", "reports to", "supervisor", "主管", "经理"),
    ),
    Field(
        name="team", label=gettext_lazy("Team"), kind=Kind.TEXT, column="team", max_length=80,
        header_words=("team", "regional office", "office", "department", "region", "部門", "部门"),
    ),
)  # fmt: skip


def _never(**_given: Any) -> Any:
    raise RuntimeError("Colleagues are made by exchange.people, many at a time.")


def _person() -> RecordType:
    """Colleagues, described like a kind of record so that the wizard needs no second path."""
    return RecordType(
        name=PERSON, label=gettext_lazy("Colleague"), label_plural=gettext_lazy("Colleagues"),
        icon="user-round-cog", slug="people", model=User, fields=_PERSON_FIELDS, create=_never,
        edit=_never, order=90,
    )  # fmt: skip


def kind_of(name: str) -> RecordType:
    """What an import of that name makes.

    Raises:
        NotFound: there is no such kind.
    """
    return _person() if name == PERSON else record_type(name)


def may_import(user: User, kind: RecordType) -> bool:
    """Whether the person may bring in records of that kind."""
    if not rules.has_ability(user, "records.import"):
        return False
    if kind.name == PERSON:
        return rules.has_ability(user, "users.manage")
    return rules.may_create(user, kind.name)


def kinds_for(user: User) -> list[RecordType]:
    """Every kind the person may import, in the order of the rail."""
    return [kind for kind in [*record_types(), _person()] if may_import(user, kind)]


def demand_may_import(user: User, kind_name: str) -> RecordType:
    """The kind, for somebody who may import it.

    Raises:
        NotAllowed: the role does not grant it.
    """
    kind = kind_of(kind_name)
    if not may_import(user, kind):
        raise NotAllowed(_("Your role does not let you import these. Ask an admin."))
    return kind


def fields_for(user: User, kind: RecordType) -> list[Field]:
    """The facts a column can go to, those the person may write."""
    if kind.name == PERSON:
        return list(kind.fields)
    limits = user.role.field_limits.get(kind.name) or {}
    found = [
        field
        for field in catalogue.fields_for(user, kind)
        if field.importable
        and (
            catalogue.may_write(user, kind, field)
            or (field.name == "created_at" and "created_at" not in limits)
        )
    ]
    return [*found, *_ABOUT.get(kind.name, ())]


def field_map(user: User, kind: RecordType) -> dict[str, Field]:
    return {field.name: field for field in fields_for(user, kind)}


def identifiers(kind: RecordType, mapped: set[str]) -> list[str]:
    """Which of the mapped facts may tell records apart, the surest first."""
    if kind.name == PERSON:
        return [name for name in ("email", "name") if name in mapped]
    names = [name for name in IDENTIFIERS if name in mapped]
    # Two contacts or deals may share a name: that is chosen, never guessed.
    return [name for name in names if kind.field(name) is not None]


def guessed_identifier(kind: RecordType, mapped: set[str]) -> str:
    """The fact to tell records apart by, unless the person chooses another."""
    unsure = {"phone", "mobile"} | ({"name"} if kind.name not in ("account", PERSON) else set())
    sure = [name for name in identifiers(kind, mapped) if name not in unsure]
    return sure[0] if sure else ""

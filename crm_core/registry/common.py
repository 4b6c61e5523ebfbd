"""The facts every kind of record has, and some that several have; a topic adds them to its own."""

from django.utils.translation import gettext_lazy as _

from crm_core.registry.types import Field, Kind


def common_fields(*, owner_column: bool = True) -> tuple[Field, ...]:
    """Owner, team, tags, origin, dates."""
    return (
        Field(
            name="owner",
            label=_("Owner"),
            kind=Kind.USER,
            column="owner",
            in_list=owner_column,
            header_words=(
                "owner",
                "sales agent",
                "sales rep",
                "salesperson",
                "assigned to",
                "account manager",
                "負責人",
                "业务员",
                "業務員",
                "负责人",
                "業務",
                "销售",
            ),
        ),
        Field(
            name="team",
            label=_("Team"),
            kind=Kind.TEAM,
            column="team",
            header_words=("team", "department", "部門", "部门", "團隊", "团队"),
        ),
        Field(
            name="tags",
            label=_("Tags"),
            kind=Kind.TAGS,
            column="tag_ids",
            in_list=True,
            sortable=False,
            header_words=("tags", "tag", "labels", "標籤", "标签"),
        ),
        Field(
            name="source",
            label=_("Source"),
            kind=Kind.TEXT,
            column="source",
            max_length=60,
            header_words=("source", "lead source", "來源", "来源"),
        ),
        Field(
            name="source_id",
            label=_("Source id"),
            kind=Kind.TEXT,
            column="source_id",
            max_length=120,
            help_text=_("Its number in the system it came from."),
            header_words=(
                "id",
                "source id",
                "external id",
                "record id",
                "opportunity_id",
                "編號",
                "编号",
            ),
        ),
        Field(
            name="last_touch_at",
            label=_("Last touch"),
            kind=Kind.MOMENT,
            in_list=True,
            importable=False,
        ),
        Field(name="next_step_at", label=_("Next activity"), kind=Kind.MOMENT, importable=False),
        Field(
            name="created_at",
            label=_("Created"),
            kind=Kind.MOMENT,
            importable=True,
            header_words=(
                "created",
                "created at",
                "create date",
                "date created",
                "建立日期",
                "创建日期",
                "创建时间",
            ),
        ),
        Field(name="created_by", label=_("Created by"), kind=Kind.USER, importable=False),
        Field(name="updated_at", label=_("Changed"), kind=Kind.MOMENT, importable=False),
    )


def phone_field() -> Field:
    """The first number to call."""
    return Field(
        name="phone",
        label=_("Phone"),
        kind=Kind.PHONE,
        column="phone",
        max_length=40,
        in_list=True,
        header_words=("phone", "telephone", "tel", "work phone", "電話", "电话"),
    )


def mail_field(*, in_list: bool = False) -> Field:
    """The address to write to; `in_list` shows it in lists nobody has arranged yet."""
    return Field(
        name="email",
        label=_("Mail"),
        kind=Kind.EMAIL,
        column="email",
        max_length=254,
        in_list=in_list,
        header_words=(
            "email",
            "e-mail",
            "mail",
            "email address",
            "電郵",
            "邮箱",
            "電子郵件",
            "电子邮件",
        ),
    )


def description_field() -> Field:
    """What fits nowhere else."""
    return Field(
        name="description",
        label=_("Description"),
        kind=Kind.LONG_TEXT,
        column="description",
        sortable=False,
        header_words=("description", "notes", "remarks", "備註", "备注", "說明"),
    )

"""The facts every kind of record has; a topic adds them behind its own."""

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

"""Activities as the generic features know them."""

from django.utils.translation import gettext_lazy as _

from crm_core.activities import services
from crm_core.activities.models import Activity
from crm_core.registry import Choice, Field, Kind, RecordType, register
from crm_core.registry.common import common_fields


def kind_choices() -> list[Choice]:
    return [
        Choice("note", str(_("Note"))),
        Choice("task", str(_("Task"))),
        Choice("call", str(_("Call"))),
        Choice("meeting", str(_("Meeting"))),
    ]


ACTIVITY_FIELDS = (
    Field(
        name="name",
        label=_("Subject"),
        kind=Kind.TEXT,
        column="name",
        required=True,
        in_list=True,
        header_words=("subject", "title", "task", "name", "主旨", "主题", "標題"),
    ),
    Field(
        name="kind",
        label=_("Kind"),
        kind=Kind.CHOICE,
        column="kind",
        choices=kind_choices,
        in_list=True,
        header_words=("type", "kind", "activity type", "類型", "类型"),
    ),
    Field(
        name="due_at",
        label=_("Due"),
        kind=Kind.MOMENT,
        column="due_at",
        in_list=True,
        header_words=("due", "due date", "due at", "到期日", "截止日期"),
    ),
    Field(
        name="assignee",
        label=_("Assigned to"),
        kind=Kind.USER,
        column="assignee",
        in_list=True,
        header_words=("assignee", "assigned to", "執行人", "执行人"),
    ),
    Field(
        name="done_at",
        label=_("Done"),
        kind=Kind.MOMENT,
        column="done_at",
        in_list=True,
        header_words=("done", "completed", "completed at", "完成日期"),
    ),
    Field(
        name="account",
        label=_("Company"),
        kind=Kind.LINK,
        column="account",
        target="account",
        in_list=True,
        header_words=("account", "company", "公司", "客戶", "客户"),
    ),
    Field(
        name="outcome",
        label=_("Outcome"),
        kind=Kind.TEXT,
        column="outcome",
        max_length=80,
        header_words=("outcome", "result", "結果", "结果"),
    ),
    Field(
        name="minutes",
        label=_("Minutes"),
        kind=Kind.INTEGER,
        column="minutes",
        header_words=("minutes", "duration", "時長", "时长"),
    ),
    Field(
        name="body",
        label=_("Text"),
        kind=Kind.LONG_TEXT,
        column="body",
        sortable=False,
        header_words=("body", "text", "notes", "description", "內容", "内容"),
    ),
)


def register_types() -> None:
    register(
        RecordType(
            name="activity",
            label=_("Activity"),
            label_plural=_("Activities"),
            icon="circle-check-big",
            slug="activities",
            model=Activity,
            fields=ACTIVITY_FIELDS + common_fields(owner_column=False),
            create=services.create_activity,
            edit=services.edit_activity,
            parents=("account",),
            related=("account",),
            quick_fields=("name", "kind", "due_at", "assignee"),
            order=40,
        )
    )

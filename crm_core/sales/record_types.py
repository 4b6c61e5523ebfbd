"""Deals as the generic features know them."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm_core.registry import Field, Kind, RecordType, SearchTexts, register
from crm_core.registry.common import common_fields, description_field
from crm_core.sales import queries, services
from crm_core.sales.models import Deal

DEAL_FIELDS = (
    Field(
        name="name",
        label=_("Name"),
        kind=Kind.TEXT,
        column="name",
        required=True,
        in_list=True,
        header_words=(
            "name",
            "deal",
            "deal name",
            "opportunity",
            "opportunity name",
            "商機",
            "商机",
            "商機名稱",
            "商机名称",
        ),
    ),
    Field(
        name="account",
        label=_("Company"),
        kind=Kind.LINK,
        column="account",
        target="account",
        in_list=True,
        header_words=("account", "company", "customer", "公司", "客戶", "客户"),
    ),
    Field(
        name="contact",
        label=_("Contact"),
        kind=Kind.LINK,
        column="contact",
        target="contact",
        header_words=("contact", "primary contact", "聯絡人", "联系人"),
    ),
    Field(
        name="stage",
        label=_("Stage"),
        kind=Kind.CHOICE,
        column="stage",
        is_key=True,
        in_list=True,
        choices=queries.stage_choices,
        sortable=False,
        header_words=(
            "stage",
            "deal_stage",
            "deal stage",
            "status",
            "階段",
            "阶段",
            "狀態",
            "状态",
        ),
    ),
    Field(
        name="amount",
        label=_("Value"),
        kind=Kind.MONEY,
        column="amount",
        in_list=True,
        currency_path="currency",
        header_words=("amount", "value", "close_value", "deal value", "金額", "金额"),
    ),
    Field(
        name="currency",
        label=_("Currency"),
        kind=Kind.TEXT,
        column="currency",
        max_length=3,
        sortable=False,
        header_words=("currency", "幣別", "币种"),
    ),
    Field(
        name="close_date",
        label=_("Close date"),
        kind=Kind.DATE,
        column="close_date",
        in_list=True,
        header_words=(
            "close_date",
            "close date",
            "expected close",
            "成交日",
            "預計成交日",
            "预计成交日期",
            "關閉日期",
        ),
    ),
    Field(
        name="product",
        label=_("Product"),
        kind=Kind.TEXT,
        column="product",
        header_words=("product", "products", "item", "產品", "产品"),
    ),
    Field(
        name="pipeline",
        label=_("Pipeline"),
        kind=Kind.CHOICE,
        column="pipeline",
        is_key=True,
        choices=queries.pipeline_choices,
        sortable=False,
        header_words=("pipeline", "銷售流程", "销售流程"),
    ),
    Field(
        name="lost_reason",
        label=_("Lost because"),
        kind=Kind.CHOICE,
        column="lost_reason",
        is_key=True,
        choices=queries.lost_reasons,
        sortable=False,
        header_words=("lost reason", "reason lost", "失單原因", "输单原因"),
    ),
    Field(
        name="next_step",
        label=_("Next step"),
        kind=Kind.TEXT,
        column="next_step",
        header_words=("next step", "下一步"),
    ),
    Field(
        name="opened_date",
        label=_("Opened"),
        kind=Kind.DATE,
        column="opened_date",
        header_words=("engage_date", "open date", "opened", "start date", "開始日期", "开始日期"),
    ),
    Field(name="closed_at", label=_("Closed"), kind=Kind.MOMENT, importable=False),
    Field(name="stage_since", label=_("In stage since"), kind=Kind.MOMENT, importable=False),
    description_field(),
)


def _deal_words(row: Any) -> SearchTexts:
    return SearchTexts(
        title=row["name"],
        subtitle=row["account__name"] or "",
        strong=(row["source_id"],),
        weak=(row["account__name"] or "", row["product"]),
    )


def _deal_subtitle(row: Any) -> str:
    return str(row.product or "")


def register_types() -> None:
    register(
        RecordType(
            name="deal",
            label=_("Deal"),
            label_plural=_("Deals"),
            icon="kanban",
            slug="deals",
            board_url="/deals/board/",
            model=Deal,
            fields=DEAL_FIELDS + common_fields(),
            create=services.create_deal,
            edit=services.edit_deal,
            subtitle=_deal_subtitle,
            parents=("account", "contact"),
            related=("account", "contact"),
            sums=("amount",),
            search_texts=_deal_words,
            search_values=("name", "account__name", "source_id", "product"),
            quick_fields=("name", "account", "amount", "close_date", "stage"),
            order=10,
        )
    )

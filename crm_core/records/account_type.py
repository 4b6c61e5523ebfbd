"""Companies as the generic features know them: their facts and what finds them."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm_core.records import services
from crm_core.records.models import Account
from crm_core.registry import Field, Kind, RecordType, SearchTexts
from crm_core.registry.common import common_fields, description_field, mail_field, phone_field
from crm_platform.kernel.limits import Limit

FIELDS = (
    Field(
        name="name",
        label=_("Name"),
        kind=Kind.TEXT,
        column="name",
        required=True,
        in_list=True,
        header_words=(
            "name",
            "account",
            "account name",
            "company",
            "company name",
            "customer",
            "客戶",
            "客户",
            "公司",
            "公司名稱",
            "公司名称",
            "客戶名稱",
            "客户名称",
        ),
    ),
    Field(
        name="industry",
        label=_("Industry"),
        kind=Kind.TEXT,
        column="industry",
        max_length=80,
        in_list=True,
        header_words=("industry", "sector", "行業", "行业", "產業", "产业"),
    ),
    phone_field(),
    mail_field(),
    Field(
        name="website",
        label=_("Website"),
        kind=Kind.URL,
        column="website",
        header_words=("website", "web", "url", "homepage", "網站", "网站", "網址", "网址"),
    ),
    Field(
        name="city",
        label=_("City"),
        kind=Kind.TEXT,
        column="city",
        max_length=80,
        in_list=True,
        header_words=("city", "town", "城市"),
    ),
    Field(
        name="country",
        label=_("Country"),
        kind=Kind.TEXT,
        column="country",
        max_length=80,
        header_words=("country", "office_location", "location", "國家", "国家"),
    ),
    Field(
        name="street",
        label=_("Street"),
        kind=Kind.TEXT,
        column="street",
        header_words=("street", "address", "地址"),
    ),
    Field(
        name="region",
        label=_("Region"),
        kind=Kind.TEXT,
        column="region",
        max_length=80,
        header_words=("region", "state", "province", "county", "省", "地區", "地区"),
    ),
    Field(
        name="postcode",
        label=_("Postcode"),
        kind=Kind.TEXT,
        column="postcode",
        max_length=20,
        header_words=("postcode", "zip", "postal code", "郵遞區號", "邮编"),
    ),
    Field(
        name="employees",
        label=_("Employees"),
        kind=Kind.INTEGER,
        column="employees",
        header_words=("employees", "headcount", "staff", "員工數", "员工数", "人數"),
    ),
    Field(
        name="annual_revenue",
        label=_("Annual revenue"),
        kind=Kind.MONEY,
        column="annual_revenue",
        header_words=("revenue", "annual revenue", "turnover", "營業額", "营业额"),
    ),
    Field(
        name="founded_year",
        label=_("Founded"),
        kind=Kind.INTEGER,
        column="founded_year",
        largest=9999,
        header_words=("founded", "year_established", "established", "成立年份"),
    ),
    Field(
        name="tax_number",
        label=_("Tax number"),
        kind=Kind.TEXT,
        column="tax_number",
        max_length=40,
        header_words=("tax number", "vat", "tax id", "統一編號", "统一社会信用代码", "稅號"),
    ),
    Field(
        name="parent",
        label=_("Belongs to"),
        kind=Kind.LINK,
        column="parent",
        target="account",
        header_words=(
            "parent",
            "parent account",
            "subsidiary_of",
            "subsidiary of",
            "母公司",
            "上級公司",
        ),
    ),
    description_field(),
)


def _account_words(row: Any) -> SearchTexts:
    return SearchTexts(
        title=row["name"],
        subtitle=" · ".join(part for part in (row["industry"], row["city"]) if part),
        phones=(row["phone"],),
        emails=(row["email"], row["website"]),
        strong=(row["tax_number"], row["source_id"]),
        weak=(row["industry"], row["city"], row["country"]),
    )


ACCOUNT = RecordType(
    name="account",
    label=_("Company"),
    label_plural=_("Companies"),
    icon="building-2",
    slug="accounts",
    model=Account,
    fields=FIELDS + common_fields(),
    create=services.create_account,
    edit=services.edit_account,
    default_sort="name",
    parents=("parent",),
    related=("parent",),
    search_texts=_account_words,
    search_values=(
        "name",
        "industry",
        "city",
        "phone",
        "email",
        "website",
        "tax_number",
        "source_id",
        "country",
    ),
    quick_fields=("name", "website", "phone", "industry"),
    order=30,
    limit=Limit.CONTACTS,
)

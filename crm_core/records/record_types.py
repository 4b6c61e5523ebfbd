"""Accounts and contacts as the generic features know them."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm_core.records import services
from crm_core.records.models import Account, Contact
from crm_core.registry import Choice, Field, Kind, RecordType, SearchTexts, register
from crm_core.registry.common import common_fields


def _preferences() -> list[Choice]:
    return [
        Choice("email", str(_("Mail"))),
        Choice("phone", str(_("Phone"))),
        Choice("im", str(_("Messenger"))),
        Choice("visit", str(_("Visit"))),
    ]


ACCOUNT_FIELDS = (
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
    Field(
        name="phone",
        label=_("Phone"),
        kind=Kind.PHONE,
        column="phone",
        max_length=40,
        in_list=True,
        header_words=("phone", "telephone", "tel", "電話", "电话"),
    ),
    Field(
        name="email",
        label=_("Mail"),
        kind=Kind.EMAIL,
        column="email",
        max_length=254,
        header_words=("email", "e-mail", "mail", "電郵", "邮箱", "電子郵件"),
    ),
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
    Field(
        name="description",
        label=_("Description"),
        kind=Kind.LONG_TEXT,
        column="description",
        sortable=False,
        header_words=("description", "notes", "remarks", "備註", "备注", "說明"),
    ),
)
CONTACT_FIELDS = (
    Field(
        name="name",
        label=_("Name"),
        kind=Kind.TEXT,
        column="name",
        required=True,
        in_list=True,
        header_words=("name", "full name", "contact", "contact name", "姓名", "聯絡人", "联系人"),
    ),
    Field(
        name="account",
        label=_("Company"),
        kind=Kind.LINK,
        column="account",
        target="account",
        in_list=True,
        header_words=(
            "account",
            "company",
            "company name",
            "organisation",
            "organization",
            "公司",
            "客戶",
            "客户",
            "公司名稱",
            "公司名称",
        ),
    ),
    Field(
        name="title",
        label=_("Title"),
        kind=Kind.TEXT,
        column="title",
        max_length=120,
        in_list=True,
        header_words=("title", "job title", "position", "職稱", "职位", "職位"),
    ),
    Field(
        name="email",
        label=_("Mail"),
        kind=Kind.EMAIL,
        column="email",
        max_length=254,
        in_list=True,
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
    ),
    Field(
        name="phone",
        label=_("Phone"),
        kind=Kind.PHONE,
        column="phone",
        max_length=40,
        in_list=True,
        header_words=("phone", "telephone", "tel", "work phone", "電話", "电话"),
    ),
    Field(
        name="mobile",
        label=_("Mobile"),
        kind=Kind.PHONE,
        column="mobile",
        max_length=40,
        header_words=("mobile", "cell", "mobile phone", "手機", "手机"),
    ),
    Field(
        name="department",
        label=_("Department"),
        kind=Kind.TEXT,
        column="department",
        max_length=80,
        header_words=("department", "部門", "部门"),
    ),
    Field(
        name="im",
        label=_("Messenger"),
        kind=Kind.TEXT,
        column="im",
        max_length=80,
        help_text=_("WeChat, LINE, WhatsApp or another."),
        header_words=("wechat", "line", "whatsapp", "im", "微信", "messenger"),
    ),
    Field(
        name="first_name",
        label=_("First name"),
        kind=Kind.TEXT,
        column="first_name",
        max_length=80,
        header_words=("first name", "firstname", "given name", "名"),
    ),
    Field(
        name="last_name",
        label=_("Last name"),
        kind=Kind.TEXT,
        column="last_name",
        max_length=80,
        header_words=("last name", "lastname", "surname", "family name", "姓"),
    ),
    Field(
        name="city",
        label=_("City"),
        kind=Kind.TEXT,
        column="city",
        max_length=80,
        header_words=("city", "城市"),
    ),
    Field(
        name="country",
        label=_("Country"),
        kind=Kind.TEXT,
        column="country",
        max_length=80,
        header_words=("country", "國家", "国家"),
    ),
    Field(
        name="birthday",
        label=_("Birthday"),
        kind=Kind.DATE,
        column="birthday",
        header_words=("birthday", "date of birth", "生日"),
    ),
    Field(
        name="prefers",
        label=_("Prefers"),
        kind=Kind.CHOICE,
        column="prefers",
        choices=_preferences,
        help_text=_("The way this person likes to be reached."),
    ),
    Field(
        name="may_contact",
        label=_("May be contacted"),
        kind=Kind.BOOLEAN,
        column="may_contact",
        help_text=_("Off: this person asked us not to write or call unasked."),
    ),
    Field(
        name="description",
        label=_("Description"),
        kind=Kind.LONG_TEXT,
        column="description",
        sortable=False,
        header_words=("description", "notes", "remarks", "備註", "备注"),
    ),
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


def _contact_words(row: Any) -> SearchTexts:
    return SearchTexts(
        title=row["name"],
        subtitle=" · ".join(part for part in (row["title"], row["account__name"] or "") if part),
        phones=(row["phone"], row["mobile"]),
        emails=(row["email"],),
        strong=(row["im"], row["source_id"]),
        weak=(row["account__name"] or "", row["title"]),
    )


def _contact_subtitle(row: Any) -> str:
    return str(row.title or "")


def register_types() -> None:
    register(
        RecordType(
            name="account",
            label=_("Company"),
            label_plural=_("Companies"),
            icon="building-2",
            slug="accounts",
            model=Account,
            fields=ACCOUNT_FIELDS + common_fields(),
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
        )
    )
    register(
        RecordType(
            name="contact",
            label=_("Contact"),
            label_plural=_("Contacts"),
            icon="users",
            slug="contacts",
            model=Contact,
            fields=CONTACT_FIELDS + common_fields(),
            create=services.create_contact,
            edit=services.edit_contact,
            default_sort="name",
            subtitle=_contact_subtitle,
            parents=("account",),
            related=("account",),
            search_texts=_contact_words,
            search_values=(
                "name",
                "title",
                "account__name",
                "phone",
                "mobile",
                "email",
                "im",
                "source_id",
            ),
            quick_fields=("name", "account", "title", "email", "phone"),
            order=20,
        )
    )

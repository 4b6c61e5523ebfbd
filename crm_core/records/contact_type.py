"""People as the generic features know them: their facts and what finds them."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from crm_core.records import services
from crm_core.records.models import Contact
from crm_core.registry import Choice, Field, Kind, RecordType, SearchTexts
from crm_core.registry.common import common_fields, description_field, mail_field, phone_field
from crm_platform.kernel.limits import Limit


def _preferences() -> list[Choice]:
    return [
        Choice("email", str(_("Mail"))),
        Choice("phone", str(_("Phone"))),
        Choice("im", str(_("Messenger"))),
        Choice("visit", str(_("Visit"))),
    ]


FIELDS = (
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
    mail_field(in_list=True),
    phone_field(),
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
    description_field(),
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


CONTACT = RecordType(
    name="contact",
    label=_("Contact"),
    label_plural=_("Contacts"),
    icon="users",
    slug="contacts",
    model=Contact,
    fields=FIELDS + common_fields(),
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
    limit=Limit.CONTACTS,
)

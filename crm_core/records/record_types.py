"""The kinds of record of this topic."""

from crm_core.records.account_type import ACCOUNT
from crm_core.records.contact_type import CONTACT
from crm_core.registry import register


def register_types() -> None:
    register(ACCOUNT)
    register(CONTACT)

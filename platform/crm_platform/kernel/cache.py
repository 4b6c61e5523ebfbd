"""Cache keys that carry their company, so one company can never read another's entry."""

from crm_platform.kernel import tenancy


def company_key(key: str, key_prefix: str, version: int | str) -> str:
    """Django's KEY_FUNCTION: the company's UUID leads every key.

    Raises:
        NoCompany: outside a unit of work, so that no shared key is ever made.
    """
    return f"{tenancy.current().id}:{key_prefix}:{version}:{key}"

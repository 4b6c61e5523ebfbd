"""What may be a company's own host name."""

import ipaddress
import re

from django.conf import settings
from django.utils.translation import gettext as _

from crm_platform.kernel.errors import Invalid

LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
FEWEST_LABELS = 3
TXT_PREFIX = "_rapport"


def clean_host(text: str) -> str:
    """The one spelling of a host name: lower case, IDNA, no dot at the end.

    Raises:
        Invalid: on the field `host`: no full name, an address, ours, or a `www.` name.
    """
    said = text.strip().rstrip(".").lower()
    try:
        host = said.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise _wrong() from error
    labels = host.split(".")
    if len(host) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise _wrong()
    if len(labels) < FEWEST_LABELS or _is_number(host):
        raise _wrong()
    if labels[0] == "www":
        raise Invalid(_("Choose a name without “www”, such as crm.example.com."), field="host")
    if host == settings.BASE_DOMAIN or host.endswith(f".{settings.BASE_DOMAIN}"):
        raise Invalid(
            _("This name is one of ours. Rename the address above instead."), field="host"
        )
    return host


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.rpartition(".")[2].isdigit()
    return True


def _wrong() -> Invalid:
    return Invalid(_("Give a full host name such as crm.example.com."), field="host")


def txt_name(host: str) -> str:
    """Where the proof for `host` is published."""
    return f"{TXT_PREFIX}.{host}"


def txt_value(token: str) -> str:
    """What is published there."""
    return f"rapport-verify={token}"

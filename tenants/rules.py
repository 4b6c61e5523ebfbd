"""What may be an address name, and how one is suggested from a company's name in any script."""

import re
import unicodedata

from django.utils.translation import gettext as _

from crm_platform.kernel.errors import Invalid

SLUG = re.compile(r"[a-z](?:[a-z0-9]|-(?=[a-z0-9])){1,38}[a-z0-9]?")
_RESERVED_WORDS = """
    www api mail smtp imap ftp admin administrator operators operator console app apps auth
    login signin signup sign-in sign-up account accounts billing pay payments status static
    media assets cdn docs help support blog news about legal terms privacy security abuse
    postmaster webmaster hostmaster root system test demo staging dev internal rapport ns ns1
    ns2 mx autoconfig autodiscover wpad localhost public domains edge
"""
RESERVED = frozenset(_RESERVED_WORDS.split())


def check_slug(slug: str) -> str:
    """The slug, if it may be an address name.

    Raises:
        Invalid: it has the wrong shape or is reserved.
    """
    if not SLUG.fullmatch(slug) or len(slug) < 3:
        raise Invalid(
            _("Use 3 to 40 small letters, digits and single hyphens, beginning with a letter."),
            field="slug",
        )
    if slug in RESERVED or slug.startswith("xn--"):
        raise Invalid(_("This address name is reserved. Choose another one."), field="slug")
    return slug


def suggest_slug(name: str) -> str:
    """An address name made of the Latin letters and digits of `name`; may be empty (Chinese)."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"\b(inc|ltd|llc|co|corp|corporation|limited|gmbh|plc)\b\.?", " ", plain)
    slug = re.sub(r"[^a-z0-9]+", "-", words or plain).strip("-")
    slug = re.sub(r"^[0-9-]+", "", slug)[:40].strip("-")
    return slug if len(slug) >= 3 else ""

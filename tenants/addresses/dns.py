"""Asking the domain name system for the proof of a claim. Call it outside a transaction."""

import enum

import dns.exception
import dns.resolver
from django.conf import settings

SECONDS = 4.0


class Answer(enum.StrEnum):
    """What was found: `UNKNOWN` says nothing about the claim, the servers did not answer."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def _resolver() -> dns.resolver.Resolver:
    server, port = settings.DNS_SERVER
    made = dns.resolver.Resolver(configure=not server)
    if server:
        made.nameservers, made.port = [server], port
    made.lifetime = made.timeout = SECONDS
    return made


def publishes(name: str, value: str) -> Answer:
    """Whether a TXT record of `name` says exactly `value`."""
    try:
        found = _resolver().resolve(f"{name}.", "TXT", search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Answer.NO
    except (dns.exception.DNSException, OSError):
        return Answer.UNKNOWN
    texts = [b"".join(record.strings).decode("utf-8", "replace") for record in found]
    return Answer.YES if value in texts else Answer.NO

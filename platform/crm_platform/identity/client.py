"""Who is at the other end of a request: an address the proxy vouches for, and a browser's name."""

import ipaddress
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request came from. `ip` is None where there is no network (a local socket)."""

    ip: str | None = None
    user_agent: str = ""

    @property
    def network(self) -> str:
        """What counts as one place when tries are counted: an IPv4 address, an IPv6 /64."""
        if not self.ip:
            return "local"
        address = ipaddress.ip_address(self.ip)
        if address.version == 6:
            return str(ipaddress.ip_network(f"{self.ip}/64", strict=False))
        return self.ip


def client_of(request: HttpRequest) -> Client:
    """The client, believing only as many proxies as there are (`TRUSTED_PROXY_COUNT`)."""
    told = request.META.get("REMOTE_ADDR", "")
    count = settings.TRUSTED_PROXY_COUNT
    if count:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",")]
        told = hops[-count] if len(hops) >= count else hops[0] or told
    agent = request.headers.get("User-Agent", "")
    return Client(ip=_valid(told), user_agent="".join(c for c in agent if c.isprintable())[:250])


def _valid(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


# The first that is found; many browsers also carry the names of those below them.
_BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Firefox": "Firefox", "FxiOS": "Firefox",
             "MicroMessenger": "WeChat", "Line/": "LINE", "Chrome": "Chrome", "CriOS": "Chrome",
             "Safari": "Safari"}  # fmt: skip
_SYSTEMS = {"iPhone": "iPhone", "iPad": "iPad", "Android": "Android", "Windows": "Windows",
            "Mac OS": "macOS", "CrOS": "ChromeOS", "Linux": "Linux"}  # fmt: skip


def browser_label(user_agent: str) -> str:
    """`Chrome · Windows`, as a person would say it; empty when nothing is recognised."""
    found = (
        next((label for mark, label in names.items() if mark in user_agent), "")
        for names in (_BROWSERS, _SYSTEMS)
    )
    return " · ".join(label for label in found if label)

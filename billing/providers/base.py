"""What a provider must be able to do, and the words in which it answers."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from billing.proration import Period


class Again(Exception):
    """Not reached, or not now: the same request, with the same key, later."""


class Doubtful(Exception):
    """It failed there after it may have been done: look before sending anything else."""


class Declined(Exception):
    """The money was not given: `str(error)` is fit to show to who pays."""


class Wrong(Exception):
    """The provider will never do this as it was said. A bug, or settings that do not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteLine:
    """A line of a bill there; `unit_amount` is 0 where the provider names none."""

    kind: str
    quantity: int
    unit_amount: int
    interval: str
    period: Period
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteInvoice:
    """A bill there. `state` is open, paid or void, as ours."""

    id: str
    subscription: str
    number: str
    state: str
    currency: str
    net: int
    tax: int
    total: int
    paid: int
    credited: int
    issued_at: dt.datetime
    due_at: dt.datetime
    settled_at: dt.datetime | None
    lines: tuple[RemoteLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSubscription:
    """A subscription there; `status` in the provider's word, `price` the id it has there."""

    id: str
    customer: str
    status: str
    price: str
    seats: int
    anchor: dt.datetime
    period: Period
    created_at: dt.datetime
    ends_at: dt.datetime | None = None
    ended_at: dt.datetime | None = None
    is_waiting_for_payment: bool = False
    """More was asked for than is paid: it comes when the bill is paid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """How a customer stands there now."""

    customer: str
    is_deleted: bool = False
    card: Mapping[str, Any] = field(default_factory=dict)
    subscriptions: tuple[RemoteSubscription, ...] = ()
    invoices: tuple[RemoteInvoice, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePreview:
    """What a change would be billed, from a whole second on."""

    at: dt.datetime
    lines: tuple[RemoteLine, ...]
    net: int
    tax: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteEvent:
    """What was told: that something of `customer` changed."""

    id: str
    kind: str
    customer: str
    object_id: str
    at: dt.datetime
    body: Mapping[str, Any]


class Provider(Protocol):
    """Talks to a provider; never inside a transaction. Amounts in counted units.

    Every call may raise `Again`, `Doubtful`, `Declined` or `Wrong`.
    """

    def ensure_customer(
        self, *, account_id: int, company_id: str, buyer: Mapping[str, str], key: str
    ) -> str:
        """The customer's id there; made on the first call."""
        ...

    def ensure_price(self, facts: Mapping[str, Any]) -> str:
        """The price's id there; made on the first call (`acts.price_facts`)."""
        ...

    def checkout(self, *, customer: str, price: str, seats: int, key: str, back: str) -> str:
        """The address where a card is given and renting begins."""
        ...

    def preview(
        self, *, subscription: str, price: str, seats: int, at: dt.datetime, is_new_period: bool
    ) -> RemotePreview:
        """What having `seats` at `price` from `at` on would be billed now."""
        ...

    def send(self, kind: str, payload: Mapping[str, Any], *, key: str) -> dict[str, Any]:
        """Do a command (`outbox.Kind`); what came of it."""
        ...

    def adopt(self, kind: str, payload: Mapping[str, Any], *, key: str) -> dict[str, Any] | None:
        """What came of a command that may have been done; None: it was not."""
        ...

    def fetch(self, customer: str) -> Remote:
        """How the customer stands."""
        ...

    def pay_address(self, invoice: str) -> str:
        """Where a bill can be paid."""
        ...

    def pdf_address(self, invoice: str) -> str:
        """Where a bill can be had as PDF."""
        ...

    def card_address(self, *, customer: str, back: str) -> str:
        """Where the card can be changed."""
        ...

    def read_event(self, body: bytes, signature: str, *, at: dt.datetime) -> RemoteEvent:
        """An event whose signature holds.

        Raises:
            Invalid: it is not from the provider, too old, or of another API or mode.
        """
        ...

    def events_since(self, moment: dt.datetime) -> Iterator[RemoteEvent]:
        """Events from `moment` on, the newest first."""
        ...

    def everything(
        self,
    ) -> tuple[Sequence[RemoteSubscription], frozenset[str], Mapping[str, str], int]:
        """Live subscriptions, customers, open bills {id: customer}, and how many calls it took."""
        ...

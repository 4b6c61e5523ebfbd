"""Renting where a provider keeps the books: what it is asked before and after each act.

Every function opens units of its own and none while the provider is asked.
"""

import datetime as dt
import logging
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from billing import catalogue, commands, mirror, outbox, quotes, subscribing
from billing.commands import Kind
from billing.history import note
from billing.invoicing import Line, Sum
from billing.models import Account, Command, Invoice, Price, Subscription
from billing.proration import Period, after
from billing.providers import provider_of
from billing.providers.base import Again, Declined, Doubtful, Provider, RemotePreview, Wrong
from billing.quotes import Agreed, Quote
from billing.subscribing import Buyer
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Conflict, NotFound

logger = logging.getLogger("rapport.billing")
FAILURES = (Again, Doubtful, Wrong)


@dataclass(frozen=True, slots=True)
class Accepted:
    """What came of a change: its bill, or where its payment is still to be confirmed."""

    invoice: Invoice | None
    pay_at: str = ""


def away(error: Exception) -> Conflict:
    """The sentence for a provider that does not answer, or will not do what it was asked."""
    if isinstance(error, Wrong):
        return Conflict(_refused())
    return Conflict(
        _("The payment service does not answer now. Nothing was changed; try again in a moment.")
    )


def _refused() -> str:
    return _("The payment service refused this change. We were told and look at it.")


def provider_for(account: Account) -> Provider:
    try:
        found = provider_of(account.provider)
    except Again as error:
        logger.exception("Account %s cannot be served", account.pk)
        raise away(error) from error
    if found is None:
        raise Conflict(_("This company pays by bank transfer."))
    return found


def start(
    *, company_id: UUID, price_id: int, seats: int, buyer: Buyer, provider_key: str, back: str,
    by: str, at: dt.datetime,
) -> str:  # fmt: skip
    """Prepare renting by card; gives the address where the card is given. Nothing is owed before.

    Raises:
        NotFound, Conflict, Invalid: as `subscribing.start`; Conflict also where the payment
            service does not answer.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        account, price = subscribing.open_account(
            company_id=company_id, price_id=price_id, seats=seats, buyer=buyer,
            provider=provider_key, at=at,
        )  # fmt: skip
        if account.provider_id:
            commands.tell_buyer(account, by=by, at=at)
        asked = account.asked_seq
    provider = provider_for(account)
    try:
        customer = account.provider_id or _customer(account, provider, by=by, at=at)
        outbox.send_due(at=at, most=5, account_id=account.pk)
        # Somebody may have paid on another page meanwhile.
        mirror.refresh(account_id=account.pk, at=at)
        with tenancy.unit_of_work(tenancy.PLATFORM):
            if Subscription.objects.filter(account=account, ended_at=None).exists():
                raise Conflict(
                    _("This company rents already. Change the seats or the price instead.")
                )
        return provider.checkout(
            customer=customer, price=outbox.remote_price(price, provider), seats=seats, back=back,
            key=f"checkout:{account.pk}:{asked}:{at.timestamp():.0f}",
        )  # fmt: skip
    except FAILURES as error:
        logger.warning("Account %s could not begin to rent", account.pk, exc_info=True)
        raise away(error) from error


def _customer(account: Account, provider: Provider, *, by: str, at: dt.datetime) -> str:
    made = provider.ensure_customer(
        account_id=account.pk, company_id=str(account.company_id),
        buyer=commands.buyer_facts(account), key=f"customer:{account.pk}:{account.created_at:%s}",
    )  # fmt: skip
    with tenancy.unit_of_work(tenancy.PLATFORM):
        Account.objects.filter(pk=account.pk, provider_id="").update(provider_id=made)
        account.refresh_from_db()
        commands.tell_buyer(account, by=by, at=at)
    return account.provider_id


# -- changes -------------------------------------------------------------------------------------


def quote_seats(*, company_id: UUID, seats: int, at: dt.datetime) -> tuple[Quote, str]:
    """What `seats` seats would cost from now on, and the sealed quote to confirm.

    Raises:
        NotFound, Invalid: as `subscribing.quote_seats`.
        Conflict: the payment service does not answer, or a change is on its way.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        subscription = subscribing.live(company_id)
        quotes.demand_more(subscription, seats)
        _demand_quiet(subscription.account)
    return _quote(subscription, seats=seats, price=subscription.price, at=at)


def quote_price(*, company_id: UUID, price_id: int, at: dt.datetime) -> tuple[Quote, str]:
    """What another price would cost from now on, and the sealed quote to confirm.

    Raises:
        NotFound, Invalid, Conflict: as `quote_seats`.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        subscription = subscribing.live(company_id)
        price = catalogue.price_to_be_had(price_id)
        quotes.demand_other(subscription, price)
        _demand_quiet(subscription.account)
    return _quote(subscription, seats=subscription.seats, price=price, at=at)


def _demand_quiet(account: Account) -> None:
    if commands.is_on_its_way(account, Kind.CHANGE):
        raise Conflict(_("Your last change is still on its way. Look again in a moment."))


def _quote(
    subscription: Subscription, *, seats: int, price: Price, at: dt.datetime
) -> tuple[Quote, str]:
    at = at.replace(microsecond=0)  # the provider counts in seconds
    provider = provider_for(subscription.account)
    is_new_period = price.pk != subscription.price_id
    try:
        found = provider.preview(
            subscription=subscription.provider_id, price=outbox.remote_price(price, provider),
            seats=seats, at=at, is_new_period=is_new_period,
        )  # fmt: skip
    except (*FAILURES, Declined) as error:
        logger.warning("No preview for account %s", subscription.account_id, exc_info=True)
        raise away(error) from error
    made = _as_quote(subscription, found, seats=seats, price=price)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        return made, quotes.sealed_remote(made, subscription)


def _as_quote(
    subscription: Subscription, found: RemotePreview, *, seats: int, price: Price
) -> Quote:
    is_new_period = price.pk != subscription.price_id
    covered = quotes.period(subscription)
    if is_new_period:
        covered = Period(found.at, after(found.at, price.interval))
    lines = tuple(
        Line(kind=each.kind, quantity=each.quantity, unit_amount=each.unit_amount,
             interval=each.interval, period=each.period, amount=each.amount)
        for each in found.lines
    )  # fmt: skip
    return Quote(
        seats_before=subscription.seats, seats=seats, price=price, at=found.at, period=covered,
        lines=lines, due_now=Sum(found.net, 0, found.tax), next_net=price.unit_amount * seats,
    )  # fmt: skip


def accept(*, company_id: UUID, quote: str, by: str, at: dt.datetime) -> Accepted:
    """Make the change that was quoted; the provider charges what it had shown.

    The seats come when they are paid. Where the card gives no money the change stays open at the
    provider for a day, and its bill can be paid.

    Raises:
        NotFound: the company rents nothing.
        Conflict: the quote is too old, something changed meanwhile, or a change is on its way.
    """
    with tenancy.unit_of_work(tenancy.PLATFORM):
        subscription = subscribing.live(company_id, lock=True)
        agreed = quotes.opened_remote(quote, subscription, at=at)
        account = subscription.account
        _demand_quiet(account)
        command = commands.put(account, Kind.CHANGE, _payload(subscription, agreed), by=by, at=at)
        kind = "price" if agreed.is_new_period else "seats"
        if subscribing.settle_open(subscription, kind, at=at):
            commands.tell_plan(subscription, by=by, at=at)
    outbox.send_due(at=at, most=2, account_id=account.pk)
    if command is None:
        raise NotFound(_("There is no such change any more."))
    return _came_of(command, account, agreed, at=at)


def _payload(subscription: Subscription, agreed: Agreed) -> dict[str, object]:
    return {
        "subscription": subscription.provider_id, "seats": agreed.seats,
        "price_id": agreed.price.pk, "at": int(agreed.at.timestamp()), "total": agreed.total,
        "is_new_period": agreed.is_new_period,
    }  # fmt: skip


def _came_of(command: Command, account: Account, agreed: Agreed, *, at: dt.datetime) -> Accepted:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        command = Command.objects.get(pk=command.pk)
        bill = Invoice.objects.filter(
            account=account, provider_id=command.result.get("invoice") or "-"
        ).first()
        if command.state == Command.State.DONE and bill and bill.total != agreed.total:
            note(account, "charged_otherwise", by=outbox.ACTOR, at=at, shown=agreed.total,
                 charged=bill.total, invoice=bill.number)  # fmt: skip
            logger.error("Account %s was shown %s and charged %s", account.pk, agreed.total,
                         bill.total)  # fmt: skip
    if command.state == Command.State.REFUSED:
        raise Conflict(
            _("Your card was declined: %(why)s Nothing was changed. Choose another card and try"
              " again.") % {"why": command.error}
        )  # fmt: skip
    if command.state == Command.State.DEAD:
        raise Conflict(_refused())
    if command.result.get("is_done") is False:
        return Accepted(bill, pay_at=_pay_at(account, str(command.result["invoice"])))
    return Accepted(bill)


def _pay_at(account: Account, invoice: str) -> str:
    try:
        return provider_for(account).pay_address(invoice)
    except (*FAILURES, Declined):
        return ""


# -- pages of the provider -----------------------------------------------------------------------


def _account_of(company_id: UUID) -> Account:
    with tenancy.unit_of_work(tenancy.PLATFORM):
        found = Account.objects.filter(company_id=company_id).exclude(provider_id="").first()
    if found is None:
        raise NotFound(_("This company has no card with us."))
    return found


def card_address(*, company_id: UUID, back: str) -> str:
    """Where the company changes its card.

    Raises:
        NotFound: it pays by transfer.
        Conflict: the payment service does not answer.
    """
    account = _account_of(company_id)
    try:
        return provider_for(account).card_address(customer=account.provider_id, back=back)
    except FAILURES as error:
        raise away(error) from error


def bill_address(*, company_id: UUID, invoice_id: int, is_pdf: bool) -> str:
    """Where a bill of the provider's can be paid, or had as PDF.

    Raises:
        NotFound: there is no such bill of this company, or it is one of our own books.
        Conflict: the payment service does not answer.
    """
    account = _account_of(company_id)
    with tenancy.unit_of_work(tenancy.PLATFORM):
        bill = account.invoices.filter(pk=invoice_id).exclude(provider_id="").first()
    if bill is None:
        raise NotFound(_("There is no such invoice."))
    provider = provider_for(account)
    ask = provider.pdf_address if is_pdf else provider.pay_address
    try:
        found = ask(bill.provider_id)
    except FAILURES as error:
        raise away(error) from error
    if not found:
        raise NotFound(_("There is no such invoice."))
    return found


def look_again(*, company_id: UUID, at: dt.datetime) -> None:
    """Ask the provider how the company stands: it comes back from a page of theirs."""
    with tenancy.unit_of_work(tenancy.PLATFORM):
        key = Account.objects.filter(company_id=company_id).exclude(
            provider_id=""
        ).values_list("pk", flat=True).first()  # fmt: skip
    if key is not None:
        mirror.refresh(account_id=key, at=at)

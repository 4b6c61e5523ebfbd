"""What can be asked about invoices, their payments and pending items."""

from tests.stripe_peer import errors, invoices, payments
from tests.stripe_peer.store import cut
from tests.stripe_peer.world import (
    PAGING,
    World,
    action,
    deleted,
    demand,
    route,
    set_fields,
    set_metadata,
)

PATH = "/v1/invoices"


@route("get", PATH + "/{}")
def retrieve(world: World, params, ident):
    return world.store.find("invoice", ident)


@route("get", PATH, "customer", "subscription", "status", "collection_method", "due_date", *PAGING)
def list_all(world: World, params):
    wanted = {
        name: params[name] for name in ("customer", "status", "collection_method", "due_date")
        if name in params
    }  # fmt: skip
    rows = world.store.all("invoice", **wanted)
    if "subscription" in params:
        whose = world.store.find("subscription", params["subscription"], "subscription")
        rows = [each for each in rows if invoices.subscription_of(world, each) is whose]
    return world.store.page(rows, params, PATH)


@route("get", PATH + "/{}/lines", *PAGING)
def list_lines(world: World, params, ident):
    found = world.store.find("invoice", ident)
    return cut(world.store.hidden[found["id"]]["lines"], params, f"{PATH}/{ident}/lines")


@route("post", PATH, "customer", "auto_advance", "collection_method", "days_until_due",
       "description", "metadata", "pending_invoice_items_behavior", "subscription",
       "currency")  # fmt: skip
def create(world: World, params):
    """An invoice of the pending items of a customer."""
    from tests.stripe_peer import customers

    demand(params, "customer")
    customer = customers.live(world, params["customer"])
    subscription = None
    if "subscription" in params:
        subscription = world.store.find("subscription", params["subscription"], "subscription")
    rows = []
    if params.get("pending_invoice_items_behavior") == "include" or subscription:
        rows = pending_lines(world, customer, subscription)
    method = params.get("collection_method", "charge_automatically")
    if method == "send_invoice":
        demand(params, "days_until_due")
    made = invoices.begin(
        world, customer=customer, subscription=subscription, rows=rows, reason="manual"
    )
    if rows:
        bill_pending(world, made, customer, subscription)
    made.update(collection_method=method, auto_advance=params.get("auto_advance", False))
    if "currency" in params and not rows:
        made["currency"] = params["currency"]
    set_fields(made, params, "description")
    set_metadata(made, params)
    world.store.hidden[made["id"]]["days_until_due"] = params.get("days_until_due")
    return made


@route("post", PATH + "/{}", "auto_advance", "description", "metadata", "days_until_due",
       "default_payment_method", "footer", "due_date")  # fmt: skip
def update(world: World, params, ident):
    found = world.store.find("invoice", ident)
    final = {"auto_advance", "metadata", "default_payment_method", "expand"}
    if found["status"] != invoices.DRAFT and set(params) - final:
        raise errors.invalid(
            "Finalized invoices can't be updated in this way", code="invoice_not_editable"
        )
    with world.changing(found, "invoice.updated"):
        set_fields(found, params, "auto_advance", "description", "default_payment_method",
                   "footer", "due_date")  # fmt: skip
        set_metadata(found, params)
        if "days_until_due" in params:
            world.store.hidden[ident]["days_until_due"] = params["days_until_due"]
    return found


@route("delete", PATH + "/{}")
def delete(world: World, params, ident):
    found = _demand(world, ident, invoices.DRAFT)
    world.emit("invoice.deleted", found)
    world.store.drop(found)
    return deleted(found)


@route("post", PATH + "/{}/finalize", "auto_advance")
def finalize(world: World, params, ident):
    found = _demand(world, ident, invoices.DRAFT)
    found["auto_advance"] = params.get("auto_advance", found["auto_advance"])
    invoices.finalize(world, found)
    if found["status"] == invoices.OPEN and found["auto_advance"]:
        world.plan(
            world.now(found["customer"]) + world.settings.finalize_after, collect_later, found
        )
    return found


@action
def collect_later(world: World, invoice: dict, when: int) -> None:
    """Charge what was made final by hand, an hour later."""
    waiting = invoice["status"] == invoices.OPEN and invoice["attempt_count"] == 0
    if waiting and invoice["collection_method"] == "charge_automatically":
        invoices.collect(world, invoice)


@route("post", PATH + "/{}/pay", "paid_out_of_band", "payment_method", "off_session", "forgive",
       "source")  # fmt: skip
def pay(world: World, params, ident):
    found = world.store.find("invoice", ident)
    if found["status"] == invoices.PAID:
        raise errors.invalid("Invoice is already paid", code="invoice_already_paid")
    if found["status"] == invoices.DRAFT:
        invoices.finalize(world, found)
    if found["status"] not in {invoices.OPEN, "uncollectible"}:
        if found["status"] == invoices.PAID:  # nothing was to pay
            return found
        raise errors.invalid(
            f"Invoices with status {found['status']} can't be paid.",
            code="invoice_not_editable",
        )
    if params.get("paid_out_of_band"):
        invoices.mark_paid(world, found, elsewhere=True)
        return found
    method = params.get("payment_method") or found["default_payment_method"]
    if method:
        if method in payments.TOKENS:
            method = payments.attach(world, {"customer": found["customer"]}, method)["id"]
        payments.demand_attached(world, method, found["customer"])
    ended = invoices.collect(world, found, method, by_hand=True)
    if ended != payments.SUCCEEDED:
        raise payments.refusal(world, invoices.intent_of(world, found))
    return found


@route("post", PATH + "/{}/send")
def send(world: World, params, ident):
    found = world.store.find("invoice", ident)
    if found["status"] == invoices.DRAFT:
        invoices.finalize(world, found)
    elif found["status"] not in {invoices.OPEN, invoices.PAID, "uncollectible"}:
        raise errors.invalid("You can only send open invoices.", code="invoice_not_editable")
    world.emit("invoice.sent", found)
    return found


@route("post", PATH + "/{}/void")
def void(world: World, params, ident):
    found = world.store.find("invoice", ident)
    invoices.void(world, found)
    return found


@route("post", PATH + "/{}/mark_uncollectible")
def mark_uncollectible(world: World, params, ident):
    found = _demand(world, ident, invoices.OPEN)
    invoices.give_up(world, found)
    return found


def _demand(world: World, ident: str, status: str) -> dict:
    found = world.store.find("invoice", ident)
    if found["status"] != status:
        raise errors.invalid(
            f"This invoice is {found['status']}, not {status}.", code="invoice_not_editable"
        )
    return found


# -- payments of invoices ------------------------------------------------------------------------


@route("get", "/v1/invoice_payments", "invoice", "payment", "status", *PAGING)
def list_payments(world: World, params):
    wanted = {name: params[name] for name in ("invoice", "status") if name in params}
    rows = world.store.all("invoice_payment", **wanted)
    if "payment" in params:
        intent = params["payment"].get("payment_intent")
        rows = [each for each in rows if each["payment"]["payment_intent"] == intent]
    return world.store.page(rows, params, "/v1/invoice_payments")


@route("get", "/v1/invoice_payments/{}")
def get_payment(world: World, params, ident):
    return world.store.find("invoice_payment", ident)


# -- items that wait for an invoice --------------------------------------------------------------


@route("post", "/v1/invoiceitems", "customer", "amount", "currency", "description", "metadata",
       "subscription")  # fmt: skip
def create_item(world: World, params):
    from tests.stripe_peer import customers

    demand(params, "customer", "amount", "currency")
    customers.live(world, params["customer"])
    at = world.now(params["customer"])
    line = world.draft(
        "line_item", "il", amount=params["amount"], subtotal=params["amount"], quantity=1,
        currency=params["currency"], description=params.get("description"), discountable=True,
        metadata=params.get("metadata") or {}, period={"start": at, "end": at}, taxes=[],
        discount_amounts=[], pretax_credit_amounts=[], quantity_decimal="1",
    )  # fmt: skip
    made = add_pending(world, params["customer"], line, subscription=params.get("subscription"))
    line["parent"] = world.part(
        "line_item", "Parent", type="invoice_item_details",
        invoice_item_details=world.part(
            "line_item", "Parent.InvoiceItemDetails", invoice_item=made["id"], proration=False
        ),
    )  # fmt: skip
    return made


def add_pending(world: World, customer: str, line: dict, *, subscription: str | None,
                proration: bool = False) -> dict:  # fmt: skip
    """Keep a line for the next invoice."""
    made = world.make(
        "invoiceitem", "ii", customer=customer, amount=line["amount"], currency=line["currency"],
        date=world.now(customer), description=line["description"], proration=proration,
        discountable=line["discountable"], period=line["period"], quantity=line["quantity"],
        quantity_decimal=line["quantity_decimal"], metadata=dict(line["metadata"]),
        discounts=[], tax_rates=[], net_amount=line["amount"],
    )  # fmt: skip
    if subscription:
        made["parent"] = world.part(
            "invoiceitem", "Parent", type="subscription_details",
            subscription_details={"subscription": subscription, "subscription_item": None},
        )  # fmt: skip
    world.store.hidden[made["id"]]["line"] = line
    details = (line["parent"] or {}).get("subscription_item_details")
    if details:
        details["invoice_item"] = made["id"]
    world.emit("invoiceitem.created", made)
    return made


def pending(world: World, customer: dict, subscription: dict | None) -> list[dict]:
    """The items that the next invoice takes: a subscription's own, else those of none."""
    return [
        each for each in world.store.all("invoiceitem", customer=customer["id"], invoice=None)
        if ((each["parent"] or {}).get("subscription_details") or {}).get("subscription")
        == (subscription and subscription["id"])
    ]  # fmt: skip


def pending_lines(world: World, customer: dict, subscription: dict | None) -> list[dict]:
    return [
        world.store.hidden[each["id"]]["line"] for each in pending(world, customer, subscription)
    ]


def bill_pending(world: World, invoice: dict, customer: dict, subscription: dict | None) -> None:
    """Note on the items which invoice took them."""
    for each in pending(world, customer, subscription):
        each["invoice"] = invoice["id"]


@route("get", "/v1/invoiceitems/{}")
def get_item(world: World, params, ident):
    return world.store.find("invoiceitem", ident)


@route("get", "/v1/invoiceitems", "customer", "pending", "invoice", *PAGING)
def list_items(world: World, params):
    rows = world.store.all("invoiceitem")
    if "customer" in params:
        rows = [each for each in rows if each["customer"] == params["customer"]]
    if "pending" in params:
        rows = [each for each in rows if (each["invoice"] is None) == params["pending"]]
    return world.store.page(rows, params, "/v1/invoiceitems")


@route("delete", "/v1/invoiceitems/{}")
def delete_item(world: World, params, ident):
    found = world.store.find("invoiceitem", ident)
    if found["invoice"] is not None:
        raise errors.invalid("This item is part of an invoice already.")
    world.store.drop(found)
    world.emit("invoiceitem.deleted", found)
    return deleted(found)

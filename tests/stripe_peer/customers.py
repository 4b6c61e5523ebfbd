"""Customers, their tax numbers and their balance."""

import re

from tests.stripe_peer import errors, payments
from tests.stripe_peer.store import cut, random_word
from tests.stripe_peer.world import (
    PAGING,
    World,
    deleted,
    included,
    route,
    set_fields,
    set_metadata,
)

ABOUT = ("name", "email", "phone", "description", "preferred_locales", "tax_exempt",
         "business_name", "individual_name")  # fmt: skip
TAX_IDS = {
    "tw_vat": (r"[0-9]{8}", "TW"),
    "eu_vat": (r"(AT|BE|BG|CY|CZ|DE|DK|EE|EL|ES|FI|FR|HR|HU|IE|IT|LT|LU|LV|MT|NL|PL|PT|RO|SE|SI|"
               r"SK|XI)[0-9A-Z+*]{2,12}", None),
    "gb_vat": (r"GB([0-9]{9}|[0-9]{12}|GD[0-9]{3}|HA[0-9]{3})", "GB"),
    "jp_cn": (r"[0-9]{13}", "JP"), "sg_uen": (r"[0-9A-Z]{9,10}", "SG"),
    "hk_br": (r"[0-9]{8}", "HK"), "cn_tin": (r"[0-9A-Z]{15,20}", "CN"),
    "us_ein": (r"[0-9]{2}-?[0-9]{7}", "US"),
}  # fmt: skip
"""The forms that are checked; other types are taken as they are. Whether a number was given out is
not looked up, here or in Stripe, when it is entered.
"""


def live(world: World, ident: str, param: str = "customer") -> dict:
    """A customer that is not deleted, or Stripe's 404."""
    found = world.store.find("customer", ident, param)
    if world.store.hidden[ident].get("deleted"):
        raise errors.missing("customer", ident, param)
    return found


@route("post", "/v1/customers", "address", "balance", "payment_method", "invoice_settings",
       "invoice_prefix", "next_invoice_sequence", "metadata", "tax_id_data", "test_clock", "source",
       *ABOUT)  # fmt: skip
def create(world: World, params):
    if "test_clock" in params:
        world.store.find("test_helpers.test_clock", params["test_clock"], "test_clock")
    made = world.draft(
        "customer", "cus", balance=params.get("balance", 0), delinquent=False, metadata={},
        invoice_prefix=params.get("invoice_prefix", random_word(8).upper()), tax_exempt="none",
        next_invoice_sequence=params.get("next_invoice_sequence", 1), preferred_locales=[],
        invoice_settings=world.part("customer", "InvoiceSettings"),
        test_clock=params.get("test_clock"),
    )  # fmt: skip
    world.store.put(made)
    made["created"] = world.now(made["id"])
    _set(world, made, params)
    world.emit("customer.created", made)
    for each in params.get("tax_id_data", ()):
        add_tax_id(world, each, made["id"])
    method = params.get("payment_method")
    if "source" in params:
        method = payments.of_token(world, params["source"])["id"]
        made["invoice_settings"]["default_payment_method"] = method
    if method:
        attached = payments.attach(world, {"customer": made["id"]}, method)
        settings = made["invoice_settings"]
        if settings["default_payment_method"] == method:
            settings["default_payment_method"] = attached["id"]
    return made


def _set(world: World, found: dict, params: dict) -> None:
    set_fields(found, params, *ABOUT)
    set_metadata(found, params)
    if "address" in params:
        found["address"] = (
            world.part("customer", "Address", **params["address"]) if params["address"] else None
        )
    for name, value in params.get("invoice_settings", {}).items():
        found["invoice_settings"][name] = value or None


@route("get", "/v1/customers/{}")
def retrieve(world: World, params, ident):
    found = world.store.find("customer", ident)
    return deleted(found) if world.store.hidden[ident].get("deleted") else found


@route("post", "/v1/customers/{}", "address", "balance", "invoice_settings", "metadata",
       "next_invoice_sequence", "invoice_prefix", *ABOUT)  # fmt: skip
def update(world: World, params, ident):
    found = live(world, ident, "id")
    chosen = params.get("invoice_settings", {}).get("default_payment_method")
    if chosen:
        payments.demand_attached(world, chosen, ident)
    with world.changing(found, "customer.updated"):
        _set(world, found, params)
        set_fields(found, params, "next_invoice_sequence", "invoice_prefix")
        if "balance" in params:
            change_balance(world, found, params["balance"] - found["balance"], "adjustment")
    return found


@route("delete", "/v1/customers/{}")
def delete(world: World, params, ident):
    from tests.stripe_peer import subscriptions

    found = live(world, ident, "id")
    for each in world.store.all("subscription", customer=ident):
        if each["status"] not in subscriptions.OVER:
            subscriptions.end(world, each, reason="cancellation_requested")
    world.store.hidden[ident]["deleted"] = True
    world.emit("customer.deleted", found)
    return deleted(found)


@route("get", "/v1/customers", "email", "test_clock", *PAGING)
def list_all(world: World, params):
    rows = [
        each for each in world.store.all("customer")
        if not world.store.hidden[each["id"]].get("deleted")
        and params.get("email", each["email"]) == each["email"]
        and params.get("test_clock") == each["test_clock"]
    ]  # fmt: skip
    return world.store.page(rows, params, "/v1/customers")


@included("customer", "subscriptions")
def subscriptions_of(world: World, found):
    rows = [
        each for each in world.store.all("subscription", customer=found["id"])
        if each["status"] != "canceled"
    ]  # fmt: skip
    return world.store.page(rows, {}, f"/v1/customers/{found['id']}/subscriptions")


@included("customer", "tax_ids")
def tax_ids_of(world: World, found):
    rows = world.store.all("tax_id", customer=found["id"])
    return world.store.page(rows, {}, f"/v1/customers/{found['id']}/tax_ids")


# -- tax numbers ---------------------------------------------------------------------------------


@route("post", "/v1/customers/{}/tax_ids", "type", "value")
def add_tax_id(world: World, params, customer):
    live(world, customer)
    kind, value = params["type"], params["value"]
    form, country = TAX_IDS.get(kind, (r".{2,40}", None))
    if not re.fullmatch(form, value):
        raise errors.invalid(f"Invalid value for {kind}.", "value", "tax_id_invalid")
    made = world.make(
        "tax_id", "txi", customer=customer, type=kind, value=value,
        country=country or (value[:2] if kind == "eu_vat" else None),
        owner=world.part("tax_id", "Owner", type="customer", customer=customer),
        verification=world.part("tax_id", "Verification", status="unavailable"),
    )  # fmt: skip
    world.emit("customer.tax_id.created", made)
    return made


@route("get", "/v1/customers/{}/tax_ids", *PAGING)
def list_tax_ids(world: World, params, customer):
    live(world, customer)
    rows = world.store.all("tax_id", customer=customer)
    return world.store.page(rows, params, f"/v1/customers/{customer}/tax_ids")


@route("get", "/v1/customers/{}/tax_ids/{}")
def get_tax_id(world: World, params, customer, ident):
    return world.store.find("tax_id", ident)


@route("delete", "/v1/customers/{}/tax_ids/{}")
def delete_tax_id(world: World, params, customer, ident):
    found = world.store.find("tax_id", ident)
    world.store.drop(found)
    world.emit("customer.tax_id.deleted", found)
    return deleted(found)


# -- the balance: what is owed to the customer is negative ---------------------------------------


def change_balance(world: World, found: dict, amount: int, kind: str, **facts) -> dict:
    """Add to the balance; returns the transaction. Tells of the customer only if the caller
    does.
    """
    found["balance"] += amount
    currency = facts.pop("currency", None) or found["currency"] or "usd"
    return world.make(
        "customer_balance_transaction", "cbtxn", customer=found["id"], amount=amount,
        currency=currency, ending_balance=found["balance"], type=kind,
        **{"metadata": {}, **facts},
    )  # fmt: skip


@route("post", "/v1/customers/{}/balance_transactions", "amount", "currency", "description",
       "metadata")  # fmt: skip
def add_balance(world: World, params, customer):
    found = live(world, customer)
    if found["currency"] not in (None, params["currency"]):
        raise errors.invalid("The currency of the customer's balance cannot change.", "currency")
    with world.changing(found, "customer.updated"):
        found["currency"] = params["currency"]
        return change_balance(
            world, found, params["amount"], "adjustment", currency=params["currency"],
            description=params.get("description"), metadata=params.get("metadata") or {},
        )  # fmt: skip


@route("get", "/v1/customers/{}/balance_transactions", "invoice", *PAGING)
def list_balance(world: World, params, customer):
    live(world, customer)
    rows = world.store.all("customer_balance_transaction", customer=customer)
    if "invoice" in params:
        rows = [each for each in rows if each["invoice"] == params["invoice"]]
    return world.store.page(rows, params, f"/v1/customers/{customer}/balance_transactions")


# -- payment methods of a customer ---------------------------------------------------------------


@route("get", "/v1/customers/{}/payment_methods", "type", *PAGING)
def list_methods(world: World, params, customer):
    live(world, customer)
    rows = world.store.all("payment_method", customer=customer)
    return cut(rows[::-1], params, f"/v1/customers/{customer}/payment_methods")


@route("get", "/v1/customers/{}/payment_methods/{}")
def get_method(world: World, params, customer, ident):
    payments.demand_attached(world, ident, customer)
    return world.store.find("payment_method", ident)

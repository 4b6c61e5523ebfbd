"""Credit notes: what an invoice is worth less."""

from tests.stripe_peer import errors, invoices
from tests.stripe_peer.store import cut
from tests.stripe_peer.world import PAGING, World, route, set_metadata

PATH = "/v1/credit_notes"
TAKES = ("invoice", "amount", "lines", "memo", "reason", "metadata", "credit_amount",
         "refund_amount", "out_of_band_amount")  # fmt: skip


@route("post", PATH, *TAKES)
def create(world: World, params):
    """Lessen what is open, or give back what was paid: to the card, the balance or elsewhere."""
    from tests.stripe_peer import customers, payments

    made = world.store.put(_compose(world, params))
    invoice = world.store.find("invoice", made["invoice"])
    customer = world.store.find("customer", made["customer"])
    if made["pre_payment_amount"]:
        with world.changing(invoice, "invoice.updated"):
            invoice["pre_payment_credit_notes_amount"] += made["pre_payment_amount"]
            invoice["amount_remaining"] -= made["pre_payment_amount"]
            invoice["amount_due"] -= made["pre_payment_amount"]
        intent = invoices.intent_of(world, invoice)
        if intent:
            intent["amount"] = invoice["amount_remaining"]
        for each in world.store.all("invoice_payment", invoice=invoice["id"], status="open"):
            each["amount_requested"] = invoice["amount_remaining"]
        if invoice["amount_remaining"] == 0:
            invoices.mark_paid(world, invoice)
    else:
        with world.changing(invoice, "invoice.updated"):
            invoice["post_payment_credit_notes_amount"] += made["total"]
    if params.get("credit_amount"):
        with world.changing(customer, "customer.updated"):
            entry = customers.change_balance(
                world, customer, -params["credit_amount"], "credit_note",
                currency=made["currency"], credit_note=made["id"], invoice=invoice["id"],
            )  # fmt: skip
        made["customer_balance_transaction"] = entry["id"]
    if params.get("refund_amount"):
        intent = invoices.intent_of(world, invoice)
        refund = payments.create_refund(
            world, {"amount": params["refund_amount"], "payment_intent": intent["id"]}
        )
        made["refunds"] = [
            world.part("credit_note", "Refund", refund=refund["id"], type="refund",
                       amount_refunded=refund["amount"])
        ]  # fmt: skip
    world.emit("credit_note.created", made)
    return made


@route("get", PATH + "/preview", *TAKES)
def preview(world: World, params):
    return _compose(world, params)


def _compose(world: World, params: dict) -> dict:
    invoice = world.store.find("invoice", params["invoice"], "invoice")
    if invoice["status"] not in {invoices.OPEN, invoices.PAID, "uncollectible"}:
        raise errors.invalid(
            "You can only create credit notes for open or paid invoices.", "invoice",
            "invoice_not_editable",
        )  # fmt: skip
    made = world.draft(
        "credit_note", "cn", customer=invoice["customer"], invoice=invoice["id"],
        currency=invoice["currency"], status="issued", memo=params.get("memo"), metadata={},
        reason=params.get("reason"), pdf=f"{world.url}/pay/{invoice['id']}/pdf", total_taxes=[],
    )  # fmt: skip
    rows = [_line(world, invoice, each, place) for place, each in enumerate(_asked(params))]
    total = sum(each["amount"] for each in rows) if rows else invoice["total"]
    if total <= 0:
        raise errors.invalid("The amount of a credit note must be above nothing.", "amount")
    kind = _demand_split(invoice, params, total)
    known = len(world.store.all("credit_note", invoice=invoice["id"]))
    made.update(
        number=f"{invoice['number']}-CN-{known + 1:02}", type=kind, amount=total, total=total,
        subtotal=total, total_excluding_tax=total, subtotal_excluding_tax=total,
        pre_payment_amount=total if kind == "pre_payment" else 0,
        post_payment_amount=total if kind == "post_payment" else 0,
        out_of_band_amount=params.get("out_of_band_amount"),
        lines={"object": "list", "data": rows, "has_more": False,
               "url": f"{PATH}/{made['id']}/lines"},
    )  # fmt: skip
    set_metadata(made, params)
    return made


def _asked(params: dict) -> list[dict]:
    if "lines" in params:
        return params["lines"]
    if "amount" in params:
        return [{"type": "custom_line_item", "quantity": 1, "unit_amount": params["amount"],
                 "description": "Credit"}]  # fmt: skip
    return []


def _line(world: World, invoice: dict, written: dict, place: int) -> dict:
    amount = written.get("amount")
    text = written.get("description")
    if amount is None and "unit_amount" in written:
        amount = written["unit_amount"] * written.get("quantity", 1)
    if written["type"] == "invoice_line_item":
        known = {each["id"]: each for each in world.store.hidden[invoice["id"]]["lines"]}
        line = known.get(written.get("invoice_line_item"))
        if line is None:
            raise errors.missing(
                "invoice_line_item", written.get("invoice_line_item", ""), f"lines[{place}]"
            )
        if amount is None:
            amount = line["amount"] * written["quantity"] // line["quantity"]
        text = text or line["description"]
    if amount is None:
        raise errors.invalid("A line needs an amount.", f"lines[{place}][amount]")
    return world.draft(
        "credit_note_line_item", "cnli", amount=amount, description=text, type=written["type"],
        invoice_line_item=written.get("invoice_line_item"), quantity=written.get("quantity"),
        unit_amount=written.get("unit_amount"), metadata={}, taxes=[],
    )  # fmt: skip


def _demand_split(invoice: dict, params: dict, total: int) -> str:
    """Whether it lessens what is open or gives back what was paid."""
    given = sum(
        params.get(name, 0) for name in ("credit_amount", "refund_amount", "out_of_band_amount")
    )
    if invoice["status"] != invoices.PAID:
        if total > invoice["amount_remaining"] or given:
            raise errors.invalid(
                f"The credit note's amount ({total}) is more than what is open "
                f"({invoice['amount_remaining']}).", "amount",
            )  # fmt: skip
        return "pre_payment"
    left = invoice["amount_paid"] - invoice["post_payment_credit_notes_amount"]
    if total > left:
        raise errors.invalid(
            f"The sum of credit notes would exceed what was paid ({left} left).", "amount"
        )
    if given != total:
        raise errors.invalid(
            f"The sum of credit amount, refund amount and out of band amount ({given}) must equal "
            f"the credit note amount ({total}).", "amount",
        )  # fmt: skip
    return "post_payment"


@route("get", PATH + "/{}")
def retrieve(world: World, params, ident):
    return world.store.find("credit_note", ident)


@route("get", PATH, "customer", "invoice", *PAGING)
def list_all(world: World, params):
    wanted = {name: params[name] for name in ("customer", "invoice") if name in params}
    return world.store.page(world.store.all("credit_note", **wanted), params, PATH)


@route("get", PATH + "/{}/lines", *PAGING)
def list_lines(world: World, params, ident):
    found = world.store.find("credit_note", ident)
    return cut(found["lines"]["data"], params, f"{PATH}/{ident}/lines")


@route("post", PATH + "/{}/void")
def void(world: World, params, ident):
    found = world.store.find("credit_note", ident)
    if found["type"] != "pre_payment" or found["status"] != "issued":
        raise errors.invalid("Only an issued credit note of an open invoice can be voided.")
    invoice = world.store.find("invoice", found["invoice"])
    found.update(status="void", voided_at=world.now(found["customer"]))
    with world.changing(invoice, "invoice.updated"):
        invoice["pre_payment_credit_notes_amount"] -= found["total"]
        invoice["amount_remaining"] += found["total"]
        invoice["amount_due"] += found["total"]
    world.emit("credit_note.voided", found)
    return found

"""What the OpenAPI document says of billing: its acts and their schemas."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from drf_spectacular.utils import extend_schema_view as view_of

from api.v1 import billing
from api.v1.described import PAGE, View, answers, ref, sent
from api.v1.shapes import ID_SCHEMA, Json

ID = OpenApiParameter(
    "id", {"type": "string", "pattern": "^[0-9]{1,18}$"}, "path",
    description=gettext_lazy("The invoice's id."),
)  # fmt: skip
PDF: Any = {(200, "application/pdf"): OpenApiResponse(OpenApiTypes.BINARY, description="200")}


def _act(name: str, summary: Any, tag: str, responses: Any, **more: Any) -> Any:
    return extend_schema(
        operation_id=name, summary=summary, tags=[tag], responses=responses, **more
    )


BILLING: View = view_of(
    list=_act("read_billing", gettext_lazy("What is rented, and what comes next"), "billing",
              answers(ok=ref("Billing"))),
    quotes=_act("quote_seats", gettext_lazy("What more seats cost from now on"), "billing",
                answers(400, 404, 409, 413, 415, 422, ok=ref("SeatQuote")),
                request=sent("SeatQuoteAsk")),
    changes=_act("agree_to_quote", gettext_lazy("Make the change, for just the amount quoted"),
                 "billing", answers(400, 404, 409, 413, 415, 422, created=ref("Invoice")),
                 request=sent("SeatQuoteAgree")),
)(billing.BillingViewSet)  # fmt: skip
INVOICES: View = view_of(
    list=_act("list_invoices", gettext_lazy("List"), "invoices",
              answers(422, ok=ref("InvoicePage")), parameters=[*PAGE]),
    retrieve=_act("read_invoice", gettext_lazy("Read one"), "invoices",
                  answers(404, ok=ref("Invoice")), parameters=[ID]),
    pdf=_act("read_invoice_pdf", gettext_lazy("One as PDF"), "invoices",
             {**PDF, **answers(404)}, parameters=[ID]),
)(billing.InvoiceViewSet)  # fmt: skip
PRICES: View = view_of(
    list=_act("list_prices", gettext_lazy("The public price list"), "prices",
              answers(ok=ref("PricePage"))),
)(billing.PriceViewSet)  # fmt: skip

TEXT: Json = {"type": "string"}
WHOLE: Json = {"type": "integer"}
AMOUNT: Json = {"type": "string", "pattern": r"^-?[0-9]+(\.[0-9]+)?$", "examples": ["250.00"]}
MOMENT: Json = {"type": "string", "format": "date-time"}
CODE: Json = {"type": "string", "pattern": "^[A-Z]{3}$"}
INTERVAL: Json = {"type": "string", "enum": ["month", "year"]}


def _or_null(schema: Json) -> Json:
    if "$ref" in schema:
        return {"oneOf": [schema, {"type": "null"}]}
    return {**schema, "type": [schema["type"], "null"]}


def _object(properties: Json, **more: Any) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties), **more}


def _list_of(name: str) -> Json:
    return {"type": "array", "items": ref(name)}


def components() -> Json:
    """Every schema of billing by name."""
    page = {"next": {"type": ["string", "null"], "format": "uri"}}
    return {
        "Billing": _billing(),
        "BillingSeats": _object(
            {"purchased": _or_null(WHOLE), "used": WHOLE, "free": _or_null(WHOLE)}
        ),
        "NextInvoice": _object({"at": MOMENT, "seats": WHOLE, "currency": CODE, "amount": AMOUNT}),
        "PlannedChange": _object(
            {"seats": _or_null(WHOLE), "price": _or_null(ID_SCHEMA), "at": MOMENT}
        ),
        "Price": _price(), "PricePage": _object({"results": _list_of("Price"), **page}),
        "Invoice": _invoice(), "InvoiceLine": _line(),
        "InvoicePage": {
            **_object({"results": _list_of("Invoice"), **page, "total": WHOLE}),
            "required": ["results", "next"],
        },
        "SeatQuoteAsk": _object(
            {"seats": {**WHOLE, "minimum": 1, "description": _("How many there shall be.")}},
            additionalProperties=False,
        ),
        "SeatQuote": _object({
            "seats": WHOLE, "added": WHOLE, "currency": CODE, "net": AMOUNT, "tax": AMOUNT,
            "total": AMOUNT, "next_net": AMOUNT, "quote": TEXT, "valid_until": MOMENT,
        }),
        "SeatQuoteAgree": _object(
            {"quote": {**TEXT, "description": _("From the quote.")},
             "total": {**AMOUNT, "description": _("From the quote: nothing else is charged.")}},
            additionalProperties=False,
        ),
    }  # fmt: skip


def _billing() -> Json:
    return _object({
        "state": TEXT, "currency": _or_null(CODE), "plan": _or_null(TEXT),
        "plan_name": _or_null(TEXT), "price": _or_null(ref("Price")), "seats": ref("BillingSeats"),
        "period_start": _or_null(MOMENT), "period_end": _or_null(MOMENT),
        "ends_at": _or_null(MOMENT), "planned": _list_of("PlannedChange"),
        "next_invoice": _or_null(ref("NextInvoice")), "owed": _or_null(AMOUNT),
        "balance": _or_null(AMOUNT),
    })  # fmt: skip


def _price() -> Json:
    return _object({
        "id": ID_SCHEMA, "plan": TEXT, "plan_name": TEXT, "currency": CODE, "interval": INTERVAL,
        "amount": {**AMOUNT, "description": _("A user costs that, without tax.")},
        "least_seats": WHOLE, "most_seats": _or_null(WHOLE),
    })  # fmt: skip


def _line() -> Json:
    return _object({
        "kind": TEXT, "plan_name": TEXT, "quantity": WHOLE, "interval": INTERVAL,
        "unit_amount": AMOUNT, "period_start": MOMENT, "period_end": MOMENT, "amount": AMOUNT,
    })  # fmt: skip


def _invoice() -> Json:
    sums = dict.fromkeys(("net", "tax", "total", "paid", "credited", "owed"), AMOUNT)
    moments = dict.fromkeys(("issued_at", "due_at", "period_start", "period_end"), MOMENT)
    return _object({
        "id": ID_SCHEMA, "number": TEXT,
        "state": {**TEXT, "enum": ["open", "paid", "void"]}, "currency": CODE, **moments, **sums,
        "tax_percent": {"type": "number"}, "lines": _list_of("InvoiceLine"),
        "pdf": {**TEXT, "format": "uri"},
    })  # fmt: skip

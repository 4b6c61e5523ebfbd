"""The company's bills in its package: the platform's rows, read before the company's are."""

import io
from collections.abc import Iterator, Sequence
from typing import Any

from billing import standing
from billing.currencies import as_decimal
from billing.invoicing import owed
from billing.models import Invoice
from billing.pdf import invoice_pdf
from crm_core.exchange import exporting
from crm_platform.kernel import tenancy

A_PAGE = 500
SUMS = ("net", "tax", "total", "paid", "credited")
MOMENTS = ("issued_at", "due_at", "period_start", "period_end")
HEADER = ["number", "state", "currency", *MOMENTS, *SUMS, "owed", "buyer"]


def bills() -> list[Invoice]:
    """Every invoice of the chosen company with its lines, oldest first; opens its own units."""
    company_id, found = tenancy.current_company().id, list[Invoice]()
    before: int | None = None
    while True:
        rows, has_more = standing.invoices_of(company_id, limit=A_PAGE, before=before)
        found += rows
        if not has_more:
            return found[::-1]
        before = rows[-1].pk


def as_csv(rows: Sequence[Invoice]) -> bytes:
    """One line an invoice; amounts are decimals of its currency."""
    out = io.BytesIO()
    exporting.write_csv(out, HEADER, _lines(rows))
    return out.getvalue()


def _lines(rows: Sequence[Invoice]) -> Iterator[list[str]]:
    for row in rows:
        told = as_facts(row)
        yield [*(str(told[name]) for name in HEADER[:-1]), str(row.buyer.get("name", ""))]


def as_facts(row: Invoice) -> dict[str, Any]:
    """An invoice with seller, buyer and lines, as JSON tells it."""
    code = row.currency
    return {
        "number": row.number, "state": row.state, "currency": code, "language": row.language,
        **{name: getattr(row, name).isoformat() for name in MOMENTS},
        **{name: str(as_decimal(getattr(row, name), code)) for name in SUMS},
        "owed": str(as_decimal(owed(row), code)), "tax_percent": row.tax_permille / 10,
        "seller": row.seller, "buyer": row.buyer,
        "lines": [
            {
                "kind": line.kind, "plan": line.plan, "quantity": line.quantity,
                "interval": line.interval, "unit_amount": str(as_decimal(line.unit_amount, code)),
                "period_start": line.period_start.isoformat(),
                "period_end": line.period_end.isoformat(),
                "amount": str(as_decimal(line.amount, code)),
            }
            for line in row.lines.all()
        ],
    }  # fmt: skip


def as_pdf(row: Invoice) -> bytes:
    return invoice_pdf(row)

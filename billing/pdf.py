"""An invoice as PDF, in the language it was issued in.

Chinese is set in a font that is embedded where the machine has one (`settings.PDF_FONT`), else in
one of those every PDF reader brings along for Chinese.
"""

import datetime as dt
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.dates import format_date
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

from billing import invoicing
from billing.catalogue import name_of
from billing.currencies import shown
from billing.models import Invoice, InvoiceLine
from crm_platform.ui.money import locale

EMBEDDED = "Rapport"
READERS_OWN = {"zh-hant": "MSung-Light", "zh-hans": "STSong-Light"}
OFF = (InvoiceLine.Kind.COUPON, InvoiceLine.Kind.GRANT)
LEFT, RIGHT, TOP, LEADING = 22 * mm, A4[0] - 22 * mm, A4[1] - 24 * mm, 5.2 * mm


def font_of(language: str, text: str) -> str:
    """The font for a text: Latin needs none of its own."""
    if text.isascii():
        return "Helvetica"
    known = pdfmetrics.getRegisteredFontNames()
    if EMBEDDED not in known:
        path = Path(settings.PDF_FONT)
        try:
            pdfmetrics.registerFont(TTFont(EMBEDDED, str(path)))
        except (TTFError, OSError):
            own = READERS_OWN.get(language, READERS_OWN["zh-hant"])
            if own not in known:
                pdfmetrics.registerFont(UnicodeCIDFont(own))
            return own
    return EMBEDDED


class _Sheet:
    """A page that is written from the top down."""

    def __init__(self, language: str) -> None:
        self.out, self.language = io.BytesIO(), language
        self.canvas = Canvas(self.out, pagesize=A4, pageCompression=1)
        self.y = TOP

    def text(self, words: str, *, x: float = LEFT, size: float = 9.5, right: bool = False) -> None:
        """One line at the present height, from `x` on or ending there."""
        font = font_of(self.language, words)
        start = x - stringWidth(words, font, size) if right else x
        self.canvas.setFont(font, size)
        self.canvas.drawString(start, self.y, words)

    def down(self, lines: float = 1) -> None:
        """Go on below; on a new page where this one ends."""
        self.y -= LEADING * lines
        if self.y < 28 * mm:
            self.canvas.showPage()
            self.y = TOP

    def rule(self) -> None:
        self.canvas.setLineWidth(0.4)
        self.canvas.line(LEFT, self.y + LEADING * 0.4, RIGHT, self.y + LEADING * 0.4)

    def block(self, words: str) -> None:
        """Several lines."""
        for line in filter(None, words.splitlines()):
            self.text(line)
            self.down()


def invoice_pdf(invoice: Invoice) -> bytes:
    """The invoice with its lines (prefetched), as it was issued; what was paid since is added."""
    with translation.override(invoice.language):
        sheet = _Sheet(invoice.language)
        _head(sheet, invoice)
        _lines(sheet, invoice)
        _foot(sheet, invoice)
        sheet.canvas.setTitle(invoice.number)
        sheet.canvas.setAuthor(invoice.seller["name"])
        sheet.canvas.save()
        return sheet.out.getvalue()


def _head(sheet: _Sheet, invoice: Invoice) -> None:
    seller, buyer = invoice.seller, invoice.buyer
    sheet.text(seller["name"], size=15)
    sheet.text(_("Invoice"), x=RIGHT, size=15, right=True)
    sheet.down(1.4)
    sheet.block(seller["address"])
    if seller["tax_id"]:
        sheet.block(_("Tax number: %(number)s") % {"number": seller["tax_id"]})
    sheet.down()
    top = sheet.y
    for label, value in _facts(invoice):
        sheet.text(label, x=118 * mm)
        sheet.text(value, x=RIGHT, right=True)
        sheet.down()
    below, sheet.y = sheet.y, top
    sheet.block("\n".join([buyer["name"], buyer["address"], buyer["country"]]))
    if buyer["tax_id"]:
        sheet.block(_("Tax number: %(number)s") % {"number": buyer["tax_id"]})
    sheet.y = min(sheet.y, below)
    sheet.down(1.5)


def _facts(invoice: Invoice) -> Iterator[tuple[str, str]]:
    yield _("Invoice number"), invoice.number
    yield _("Date"), day_words(invoice.issued_at.date())
    yield _("To be paid by"), day_words(invoice.due_at.date())


def day_words(day: dt.date) -> str:
    """A day with its year, in the active language."""
    return str(format_date(day, "long", locale=locale()))


def _money(invoice: Invoice, amount: int) -> str:
    return shown(amount, invoice.currency, invoice.language)


def _lines(sheet: _Sheet, invoice: Invoice) -> None:
    sheet.text(_("What"))
    sheet.text(_("Seats"), x=122 * mm, right=True)
    sheet.text(_("Price"), x=152 * mm, right=True)
    sheet.text(_("Amount"), x=RIGHT, right=True)
    sheet.down(1.2)
    sheet.rule()
    sheet.down(0.4)
    for line in invoice.lines.all():
        sheet.text(_what(line, invoice.language))
        if line.kind not in OFF:
            sheet.text(str(line.quantity), x=122 * mm, right=True)
            sheet.text(_money(invoice, line.unit_amount), x=152 * mm, right=True)
        sheet.text(_money(invoice, line.amount), x=RIGHT, right=True)
        sheet.down()
        first, last = line.period_start.date(), line.period_end.date()
        sheet.text(f"{day_words(first)} \u2013 {day_words(last)}", size=8)
        sheet.down(1.3)
    sheet.rule()


def _what(line: InvoiceLine, language: str) -> str:
    plan = name_of(line.plan, language)
    words: dict[str, Any] = {
        "seats": _("%(plan)s, per user"), "added": _("%(plan)s, seats added"),
        "credit": _("%(plan)s, time not used"), "coupon": _("Coupon %(label)s"),
        "grant": _("Credit used"),
    }  # fmt: skip
    return str(words[line.kind] % {"plan": plan, "label": line.label})


def _foot(sheet: _Sheet, invoice: Invoice) -> None:
    rows = [(_("Net"), invoice.net)]
    if invoice.tax_permille:
        rate = f"{invoice.tax_permille / 10:g} %"
        rows.append((_("Tax %(rate)s") % {"rate": rate}, invoice.tax))
    rows.append((_("Total"), invoice.total))
    if invoice.paid:
        rows.append((_("Paid"), -invoice.paid))
    if invoice.credited:
        rows.append((_("Credited"), -invoice.credited))
    if invoice.paid or invoice.credited:
        rows.append((_("To be paid"), invoicing.owed(invoice)))
    sheet.down(0.4)
    for label, amount in rows:
        sheet.text(label, x=118 * mm)
        sheet.text(_money(invoice, amount), x=RIGHT, right=True)
        sheet.down(1.1)
    sheet.down()
    if invoice.seller["bank"] and invoicing.owed(invoice):
        sheet.block(_("Please transfer to this account and name the number of the invoice:"))
        sheet.block(invoice.seller["bank"])

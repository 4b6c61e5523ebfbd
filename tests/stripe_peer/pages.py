"""The hosted pages, for a browser: checkout, the portal, and paying one invoice."""

from html import escape
from urllib.parse import parse_qs

from tests.stripe_peer import checkout, errors, invoices, payments, portal
from tests.stripe_peer.world import World

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; background: #f6f7f9; color: #1c2430 }
main { max-width: 30rem; margin: 4vh auto; padding: 1.5rem; background: #fff; border-radius: 8px }
label { display: block; margin: .75rem 0 } input { display: block; width: 100%; font: inherit;
padding: .5rem; box-sizing: border-box; border: 1px solid #8a94a3; border-radius: 4px }
button { font: inherit; padding: .6rem 1.2rem; margin: .25rem 0; border: 0; border-radius: 4px;
background: #3046b8; color: #fff } table { width: 100%; border-collapse: collapse }
td { padding: .25rem 0 } [role=alert] { color: #a3161a }
.note { color: #566173; font-size: .85rem }
"""
NOTE = ("A test page of the Stripe peer. 4242 4242 4242 4242 pays, 4000 0000 0000 0002 is "
        "declined, 4000 0000 0000 0341 fails when charged, 4000 0025 0000 3155 asks.")  # fmt: skip
REFUSED = "Your card was declined. Try a different card."


class Page:
    """An answer of a hosted page: HTML, or a way to go on."""

    def __init__(self, title: str, body: str, *, status: int = 200) -> None:
        self.status, self.location = status, None
        self.kind = "text/html; charset=utf-8"
        self.content = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
            f'<meta name="viewport" content="width=device-width">'
            f'<link rel="icon" href="data:,"><style>{STYLE}</style><main>'
            f"<h1>{escape(title)}</h1>{body}<p class=note>{NOTE}</p></main></html>"
        ).encode()

    @classmethod
    def to(cls, address: str) -> "Page":
        made = cls("Going on", "", status=303)
        made.location = address
        return made


def shown(amount: int, currency: str) -> str:
    digits = 0 if currency in {"jpy", "krw"} else 2
    whole, rest = divmod(abs(amount), 10**digits)
    text = f"{whole:,}" + (f".{rest:0{digits}}" if digits else "")
    return f"{'-' if amount < 0 else ''}{currency.upper()} {text}"


def _alert(text: str) -> str:
    return f'<p role="alert">{escape(text)}</p>' if text else ""


def _card_form(button: str, *, email: str | None = None) -> str:
    asked = ""
    if email is not None:
        asked = (f'<label>E-mail<input name="email" type="email" value="{escape(email)}" required>'
                 "</label>")  # fmt: skip
    return (
        f'<form method="post">{asked}<label>Card number<input name="number" inputmode="numeric" '
        'autocomplete="cc-number" required></label><label>Expires (MM/YY)<input name="expires" '
        'value="12/34" autocomplete="cc-exp"></label><label>Security code<input name="cvc" '
        f'value="123" autocomplete="cc-csc"></label><button type="submit">{escape(button)}</button>'
        "</form>"
    )


def _ask(number: str, email: str) -> Page:
    return Page(
        "Your bank asks you to confirm",
        '<form method="post"><input type="hidden" name="confirmed" value="yes">'
        f'<input type="hidden" name="number" value="{escape(number)}">'
        f'<input type="hidden" name="email" value="{escape(email)}">'
        '<button type="submit">Confirm</button></form>'
        '<form method="post"><button name="failed" value="yes">Fail</button></form>',
    )


def answer(world: World, method: str, path: str, body: str) -> Page | None:
    """The page at an address, or nothing if there is none."""
    words = path.strip("/").split("/")
    sent = {name: values[0] for name, values in parse_qs(body).items()} if method == "POST" else {}
    if len(words) == 2 and words[0] in PAGES:
        return PAGES[words[0]](world, words[1], sent)
    if len(words) == 3 and words[0] == "pay" and words[2] == "pdf":
        return _pdf(world, words[1])
    return None


# -- checkout ------------------------------------------------------------------------------------


def _checkout(world: World, ident: str, sent: dict) -> Page | None:
    session = world.store.kinds["checkout.session"].get(ident)
    if session is None:
        return None
    if session["status"] != "open":
        return Page("This page is closed", f"<p>The session is {session['status']}.</p>")
    if not sent:
        return _checkout_form(world, session, "")
    if "number" not in sent:
        return _checkout_form(world, session, "We could not confirm your card.")
    try:
        card = payments.of_number(world, sent["number"].replace(" ", ""))
        ended = checkout.complete(
            world, session, card, email=sent.get("email", ""), confirmed="confirmed" in sent
        )
    except errors.Refused as refused:
        return _checkout_form(world, session, str(refused))
    if ended == payments.ACTION:
        return _ask(sent["number"], sent.get("email", ""))
    if ended != payments.SUCCEEDED:
        return _checkout_form(world, session, REFUSED)
    return Page.to(session["success_url"].replace("{CHECKOUT_SESSION_ID}", ident))


def _checkout_form(world: World, session: dict, problem: str) -> Page:
    rows = world.store.hidden[session["id"]].get("line_items", [])
    bought = "".join(
        f"<tr><td>{escape(each['description'])} × {each['quantity']}</td>"
        f"<td>{shown(each['amount_total'], each['currency'])}</td></tr>" for each in rows
    )  # fmt: skip
    customer = world.store.get(session["customer"])
    email = customer["email"] if customer else session["customer_email"]
    whole = ""
    title, button = "Save your card", "Save card"
    if session["mode"] == "subscription":
        title, button = "Subscribe", "Subscribe"
        whole = f"<p>Today: <b>{shown(session['amount_total'], session['currency'])}</b></p>"
    back = ""
    if session["cancel_url"]:
        back = f'<p><a href="{escape(session["cancel_url"])}">Back</a></p>'
    return Page(title, f"<table>{bought}</table>{whole}{_alert(problem)}"
                + _card_form(button, email=email or "") + back)  # fmt: skip


# -- the portal ----------------------------------------------------------------------------------


def _portal(world: World, word: str, sent: dict) -> Page | None:
    ident = world.store.hidden.get(f"{world.url}/portal/{word}", {}).get("session")
    if ident is None:
        return None
    session = world.store.find("billing_portal.session", ident)
    problem = ""
    if "number" in sent:
        try:
            card = payments.of_number(world, sent["number"].replace(" ", ""))
            asks = world.store.hidden[card["id"]]["card"].does in {
                payments.ASKS, payments.ASKS_ALWAYS,
            }  # fmt: skip
            if asks and "confirmed" not in sent:
                return _ask(sent["number"], "")
            portal.change_card(world, session, card)
        except errors.Refused as refused:
            problem = str(refused)
    return _portal_page(world, session, problem)


def _portal_page(world: World, session: dict, problem: str) -> Page:
    customer = world.store.find("customer", session["customer"])
    features = world.store.find(portal.KIND, session["configuration"])["features"]
    body = _alert(problem)
    for each in world.store.all("payment_method", customer=customer["id"]):
        body += f"<p>Card ending in <b>{each['card']['last4']}</b></p>"
    if features["payment_method_update"]["enabled"]:
        body += f"<h2>Change the card</h2>{_card_form('Save card')}"
    if features["invoice_history"]["enabled"]:
        rows = "".join(
            f'<tr><td><a href="{each["hosted_invoice_url"]}">{each["number"]}</a></td>'
            f"<td>{each['status']}</td><td>{shown(each['total'], each['currency'])}</td></tr>"
            for each in reversed(world.store.all("invoice", customer=customer["id"]))
            if each["number"]
        )
        body += f"<h2>Invoices</h2><table>{rows}</table>"
    if session["return_url"]:
        body += f'<p><a href="{escape(session["return_url"])}">Return</a></p>'
    return Page("Your billing", body)


# -- one invoice ---------------------------------------------------------------------------------


def _invoice(world: World, ident: str, sent: dict) -> Page | None:
    found = world.store.kinds["invoice"].get(ident)
    if found is None or not found["number"]:
        return None
    problem = ""
    if sent and found["status"] == invoices.OPEN:
        try:
            problem = _pay(world, found, sent)
        except errors.Refused as refused:
            problem = str(refused)
    text = (f"<p>{escape(found['customer_name'] or found['customer_email'] or '')}</p>"
            f"<p><b>{shown(found['amount_due'], found['currency'])}</b>, {found['status']}</p>"
            + _alert(problem))  # fmt: skip
    if found["status"] == invoices.OPEN:
        if invoices.intent_of(world, found)["status"] == "requires_action":
            text += ('<form method="post"><button name="confirmed" value="yes">Confirm the payment'
                     "</button></form>")  # fmt: skip
        text += _card_form("Pay")
    text += f'<p><a href="{found["invoice_pdf"]}">PDF</a></p>'
    return Page(f"Invoice {found['number']}", text)


def _pay(world: World, found: dict, sent: dict) -> str:
    intent = invoices.intent_of(world, found)
    method = intent["payment_method"]
    if "number" in sent:
        card = payments.of_number(world, sent["number"].replace(" ", ""))
        payments.attach(world, {"customer": found["customer"]}, card["id"])
        method = card["id"]
    ended = invoices.collect(world, found, method, confirmed="confirmed" in sent, by_hand=True)
    if ended == payments.ACTION:
        return "Your bank asks you to confirm."
    return "" if ended == payments.SUCCEEDED else REFUSED


def _pdf(world: World, ident: str) -> Page | None:
    found = world.store.kinds["invoice"].get(ident)
    if found is None or not found["number"]:
        return None
    text = f"Invoice {found['number']} {shown(found['total'], found['currency'])}"
    drawn = f"BT /F1 14 Tf 72 720 Td ({text}) Tj ET".encode()
    made = Page("", "")
    made.kind = "application/pdf"
    made.content = _pdf_of([
        b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(drawn), drawn),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ])  # fmt: skip
    return made


def _pdf_of(parts: list[bytes]) -> bytes:
    out, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(parts) + 1
    return out + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF"
        % (size, table, size, len(out))
    )


PAGES = {"checkout": _checkout, "portal": _portal, "pay": _invoice}

"""Looks at the important pages of a running demo, signed in, the way a browser would."""

import http.client
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pyotp

LOOPBACK = "127.0.0.1"
SERVING_SECONDS = 60.0
PAGE_SECONDS = 30.0
MOST_REDIRECTS = 5
HIDDEN_TOKEN = re.compile(r'name="csrfmiddlewaretoken"\s+value="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Page:
    """One address and what its answer must contain; `never` must not appear in it."""

    path: str
    contains: tuple[str, ...] = ("<h1", "</html>")
    never: tuple[str, ...] = ("{{", "{%", "Traceback (most recent")
    status: int = 200


PUBLIC = (
    Page("/", contains=("The follow-up that does not get forgotten", "/sign-up/")),
    Page("/sign-up/", contains=("<h1", 'name="company_name"', "csrfmiddlewaretoken")),
    Page("/pricing/", contains=("<h1", "data-year", "/sign-up/")),
    Page("/pricing/own-server/", contains=("<svg", "data-even")),
    Page("/healthz", contains=("ok",)),
    Page("/readyz", contains=('"ready": true',)),
)
COMPANY = (
    Page("/", contains=("Open pipeline", "Do next")),
    Page("/contacts/", contains=("<h1", 'id="rows"', "data-total=")),
    Page("/accounts/", contains=("<tr data-id=", "data-total=")),
    Page("/deals/", contains=("<tr data-id=", 'id="sums"')),
    Page("/deals/board/", contains=('class="card', 'data-url="/deals/0/move/"', 'id="board-sum"')),
    Page("/deals/1/", contains=('class="steps"', 'id="composer"', 'id="timeline"')),
    Page("/tasks/", contains=("<h1",)),
    Page("/inbox/", contains=("<h1",)),
    Page("/search/?q=a", contains=('id="hits"',)),
    Page("/reports/deals-by-stage/", contains=("Weighted",)),
    Page("/import/", contains=("<h1",)),
    Page("/import/contact/", contains=("crm-drop",)),
    Page("/settings/", contains=('name="time_zone"',)),
    Page("/settings/people/", contains=("@",)),
    Page("/settings/pipelines/", contains=("crm-sortlist",)),
    Page("/settings/history/", contains=("<td",)),
    Page("/settings/support/", contains=("<h1",)),
    Page("/me/security/", contains=("<h1",)),
    Page("/api/v1/schema/", contains=("openapi", "/api/v1/deals/")),
    Page("/api/v1/docs/", contains=("/api/v1/deals/",)),
    Page("/healthz", contains=("ok",)),
)
OPERATORS = (
    Page("/", contains=("Harbour Trading",)),
    Page("/mail/", contains=("<h1",)),
    Page("/billing/figures/", contains=("fi-months", "<svg")),
    Page("/queues/", contains=("<h1", "Workers")),
    Page("/outbox/", contains=("<h1",)),
    Page("/sign-ups/", contains=("<h1",)),
    Page("/support/", contains=("<h1",)),
    Page("/approvals/", contains=("<h1",)),
    Page("/operators/", contains=("<h1", "@")),
    Page("/audit/", contains=("<td",)),
    Page("/second-factor/", contains=("<h1", 'name="code"')),
)


@dataclass(slots=True)
class Outcome:
    """How many pages were as they should be, and a sentence for each that was not."""

    pages: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Answer:
    status: int
    path: str
    body: str


class Visitor:
    """A browser on one host: it keeps cookies and follows redirects, and runs no script."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._cookies: dict[str, str] = {}

    def get(self, path: str) -> Answer:
        return self._follow("GET", path, None)

    def post(self, path: str, values: dict[str, str]) -> Answer:
        return self._follow("POST", path, urlencode(values))

    def _follow(self, method: str, path: str, body: str | None) -> Answer:
        for _ in range(MOST_REDIRECTS):
            status, headers, text = self._ask(method, path, body)
            target = headers.get("Location")
            if status not in (301, 302, 303, 307, 308) or not target:
                return Answer(status, path, text)
            parts = urlsplit(target)
            if parts.hostname not in (None, self.host):
                return Answer(status, target, text)
            path, method, body = (
                parts.path + (f"?{parts.query}" if parts.query else ""),
                "GET",
                None,
            )
        return Answer(status, path, "(too many redirects)")

    def _ask(
        self, method: str, path: str, body: str | None
    ) -> tuple[int, http.client.HTTPMessage, str]:
        # Connect to the loopback and say the host: *.localhost is not in every machine's DNS.
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=PAGE_SECONDS)
        name = f"{self.host}:{self.port}"
        headers = {"Host": name, "Origin": f"http://{name}", "Accept": "text/html,*/*"}
        headers["Cookie"] = "; ".join(f"{key}={value}" for key, value in self._cookies.items())
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body=body, headers=headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        finally:
            connection.close()
        for cookie in response.headers.get_all("Set-Cookie") or []:
            for key, morsel in SimpleCookie(cookie).items():
                self._cookies[key] = morsel.value
        return response.status, response.headers, text


def main(arguments: Sequence[str]) -> int:
    """Look at everything; `arguments` are the port and the file for the outcome."""
    port, result = int(arguments[0]), Path(arguments[1])
    sign_ins = json.loads((Path(os.environ["RAPPORT_DATA"]) / "sign-ins.json").read_text("utf-8"))
    outcome = Outcome()
    try:
        if _is_serving(port):
            look_at_everything(port, os.environ.get("BASE_DOMAIN", "localhost"), sign_ins, outcome)
        else:
            outcome.failures.append(f"Nothing serves on port {port} after {SERVING_SECONDS:.0f} s.")
    except (OSError, http.client.HTTPException) as error:
        outcome.failures.append(f"The web server went away: {error!r}.")
    result.write_text(json.dumps(asdict(outcome)), encoding="utf-8")
    return 1 if outcome.failures else 0


def look_at_everything(
    port: int, base_domain: str, sign_ins: Sequence[dict[str, str]], outcome: Outcome
) -> None:
    """The public site, then each company and the operators' host, signed in."""
    _look(Visitor(base_domain, port), PUBLIC, outcome)
    for entry in sign_ins:
        host = urlsplit(entry["url"]).hostname or ""
        visitor = Visitor(host, port)
        pages = OPERATORS if host == f"operators.{base_domain}" else COMPANY
        if _signs_in(visitor, entry, outcome):
            _look(visitor, pages, outcome)
    if not sign_ins:
        outcome.failures.append("No company and no operator was made: there is nobody to be.")


def _signs_in(visitor: Visitor, entry: dict[str, str], outcome: Outcome) -> bool:
    """Sign in through the form; the answer must be a page that is no sign-in page any more."""
    where = f"http://{visitor.host}:{visitor.port}/sign-in/"
    page = visitor.get("/sign-in/")
    token = HIDDEN_TOKEN.search(page.body)
    if page.status != 200 or token is None:
        outcome.failures.append(f"{where}: expected a form with a CSRF token, came {_short(page)}.")
        return False
    answer = visitor.post(
        "/sign-in/",
        {
            "csrfmiddlewaretoken": token.group(1),
            "email": entry["email"],
            "password": entry["password"],
        },
    )
    if answer.path.startswith("/second-factor/"):
        answer = _second_step(visitor, answer, entry.get("second_factor", ""))
    if answer.status != 200 or answer.path.startswith(("/sign-in/", "/second-factor/")):
        outcome.failures.append(
            f"{where}: expected to be signed in as {entry['email']}, came {_short(answer)}."
        )
        return False
    outcome.pages += 1
    return True


def _second_step(visitor: Visitor, page: Answer, secret: str) -> Answer:
    """Give the code an authenticator app would show now."""
    token = HIDDEN_TOKEN.search(page.body)
    if token is None or not secret:
        return page
    code = pyotp.TOTP(secret).now()
    return visitor.post(page.path, {"csrfmiddlewaretoken": token.group(1), "code": code})


def _look(visitor: Visitor, pages: Sequence[Page], outcome: Outcome) -> None:
    for page in pages:
        answer = visitor.get(page.path)
        fault = fault_of(page, answer)
        if fault:
            where = f"http://{visitor.host}:{visitor.port}{page.path}"
            outcome.failures.append(f"{where}: expected {fault}, came {_short(answer)}.")
        else:
            outcome.pages += 1


def fault_of(page: Page, answer: Answer) -> str:
    """What was expected and is not so; empty when the answer is right."""
    if answer.status != page.status:
        return f"status {page.status}"
    if answer.path.startswith("/sign-in/"):
        return "a page for somebody signed in"
    missing = [text for text in page.contains if text not in answer.body]
    if missing:
        return f"the text {missing[0]!r}"
    leaked = [text for text in page.never if text in answer.body]
    return f"no {leaked[0]!r}" if leaked else ""


def _short(answer: Answer) -> str:
    title = re.search(r"<title>(.*?)</title>", answer.body, re.DOTALL)
    seen = title.group(1).strip() if title else answer.body[:120].strip()
    return f"status {answer.status} at {answer.path}: {' '.join(seen.split())!r}"


def _is_serving(port: int) -> bool:
    """Wait until the first answer, at most SERVING_SECONDS."""
    deadline = time.monotonic() + SERVING_SECONDS
    while time.monotonic() < deadline:
        try:
            return Visitor("localhost", port).get("/healthz").status == 200
        except OSError:
            time.sleep(0.05)
    return False


def command(port: int, result: Path) -> list[str]:
    return [sys.executable, "-m", "crm_platform.ops.demo_check", str(port), str(result)]


def read_outcome(result: Path) -> Outcome:
    """The outcome a checker left; an empty one when it never came to write it."""
    return Outcome(**json.loads(result.read_text("utf-8"))) if result.exists() else Outcome()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

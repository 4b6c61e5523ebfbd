"""Chromium against the real stack: gunicorn, a Celery worker, PostgreSQL, Redis. Nothing is faked.

Every test also fails on a console error, a page error or a violation of the security policy.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from tests.benchmarks.server import web_server
from tests.conftest import WORKER
from tests.stripe_peer.client import KEY, Peer, PeerProcess

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / ".data" / f"browser{WORKER}"
NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
MISSING = (
    "Chromium is missing: apt-get install chromium fonts-noto-cjk fonts-inter, "
    "or set CHROMIUM to its path"
)
API_VERSION = "2026-10-28.endive"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def pytest_collection_modifyitems(items):
    here = str(Path(__file__).parent)
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.browser)
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason=MISSING))


@dataclass(frozen=True, slots=True)
class Stack:
    """The running service: addresses of its hosts, and how its people and operator come in."""

    port: int
    password: str
    operator: dict[str, str]
    peer: Peer
    """Stands for Stripe; its time is the real one until a test lets it pass."""
    environment: dict[str, str]

    def at(self, host: str, path: str = "/") -> str:
        return f"http://{host}:{self.port}{path}"

    def company(self, path: str = "/") -> str:
        return self.at("harbour.localhost", path)

    def console(self, path: str = "/") -> str:
        return self.at("operators.localhost", path)


@pytest.fixture(scope="session")
def stack():
    """A whole service with one company in it, made anew."""
    from crm_platform.ops import embedded

    data = DATA
    embedded.reset(data)
    servers = embedded.start(data, careless=True)
    embedded.create_database(servers.superuser_url)
    payments = PeerProcess()
    payments.peer.reset(at=int(timezone.now().timestamp()))
    hook = payments.peer.stripe().v1.webhook_endpoints.create(
        {"url": "http://localhost/", "enabled_events": ["*"], "api_version": API_VERSION}
    )
    with web_server(
        {"RAPPORT_DATA": str(data), "DJANGO_SETTINGS_MODULE": "crm_platform.settings",
         "STRIPE_KEY": KEY, "STRIPE_WEBHOOK_SECRETS": hook.secret,
         "STRIPE_ADDRESS": payments.peer.url},
        before=_prepare, quiet=True,
    ) as server:  # fmt: skip
        payments.peer.stripe().v1.webhook_endpoints.update(
            hook.id, {"url": f"http://localhost:{server.port}/billing/events/stripe/"}
        )
        worker = subprocess.Popen(
            [sys.executable, "-m", "crm_platform", "worker", "--queues", "celery,long"],
            cwd=ROOT, env=server.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        told = json.loads(server.prepared)
        yield Stack(server.port, told["password"], told["operator"], payments.peer,
                    server.environment)  # fmt: skip
        worker.send_signal(signal.SIGTERM)
        worker.wait(30)
    payments.stop()
    embedded.release(data)


def _prepare(environment: dict[str, str]) -> str:
    """Static files and the company, with the served settings."""

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout

    run("-m", "crm_platform", "i18n", "compile")
    run("-m", "crm_platform", "collectstatic", "--noinput", "--verbosity", "0")
    return run("-m", "tests.browser.seed")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    # Chromium refuses to start as root (containers) without --no-sandbox.
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--no-first-run", "--disable-gpu"]  # fmt: skip
    return {**browser_type_launch_args, "executable_path": CHROMIUM,
            "args": [*root, *quiet, "--font-render-hinting=none"]}  # fmt: skip


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "viewport": {"width": 1440, "height": 900},
            "reduced_motion": "reduce", "timezone_id": "Asia/Taipei"}  # fmt: skip


def watch(page):
    """Collect what must not happen on a page."""
    page.problems = []
    page.add_init_script(
        "addEventListener('securitypolicyviolation', e =>"
        " console.error('CSP ' + e.violatedDirective + ' ' + (e.blockedURI || e.sample)))"
    )
    page.on("console", lambda m: m.type == "error" and page.problems.append(m.text))
    page.on("pageerror", lambda e: page.problems.append(f"page error: {e}"))
    page.set_default_timeout(10_000)
    return page


def faults(page) -> list[str]:
    """Problems other than refusals a test asks for and requests that a newer one replaced."""
    expected = ("status of 4", "htmx:afterRequest", "htmx:sendAbort")
    return [text for text in page.problems if not any(word in text for word in expected)]


@pytest.fixture
def page(page):
    yield watch(page)
    assert faults(page) == []


def sign_in(page, stack, who="owner"):
    """Sign somebody in through the form."""
    page.goto(stack.company("/sign-in/"))
    page.fill("[name=email]", f"{who}@harbour.example")
    page.fill("[name=password]", stack.password)
    page.click("main button.primary")
    page.wait_for_url(lambda url: "/sign-in/" not in url)
    prefer(page, stack, "auto", "en")


def prefer(page, stack, theme, language):
    """Choose theme and language for the company's person."""
    page.goto(stack.company("/me/"))
    prefer_here(page, theme, language)


def prefer_here(page, theme, language):
    """Choose them for the person of the page that is open, as the shell's own form does."""
    page.evaluate(
        """async ([theme, language]) => {
            const token = document.querySelector('meta[name=csrf-token]').content;
            const body = new URLSearchParams({theme, language});
            await fetch('/me/prefs/', {method: 'POST', headers: {'X-CSRFToken': token}, body});
        }""",
        [theme, language],
    )


@pytest.fixture(scope="session")
def operator_state(browser, stack):
    """An operator's cookies after password and code: a code is good once, so once a stack."""
    context = browser.new_context(reduced_motion="reduce")
    page = watch(context.new_page())
    page.goto(stack.console())
    page.fill("[name=email]", stack.operator["email"])
    page.fill("[name=password]", stack.operator["password"])
    page.click("main button.primary")
    page.wait_for_url("**/second-factor/**")
    page.goto(stack.console("/audit/"))
    assert "/second-factor/" in page.url, "Nothing opens before the second step"
    page.fill("[name=code]", pyotp.TOTP(stack.operator["second_factor"]).now())
    page.click("main button.primary")
    page.wait_for_url("**/audit/")
    assert faults(page) == []
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def console(browser, operator_state):
    """`console(width)` → a page of the operator."""
    contexts = []

    def open_page(width=1280):
        context = browser.new_context(
            storage_state=operator_state, reduced_motion="reduce",
            viewport={"width": width, "height": 900},
        )  # fmt: skip
        contexts.append(context)
        return watch(context.new_page())

    yield open_page
    for context in contexts:
        assert [fault for page in context.pages for fault in faults(page)] == []
        context.close()


@pytest.fixture
def owner(page, stack):
    """A page of the company, signed in as its owner."""
    sign_in(page, stack)
    return page


@pytest.fixture
def phone(browser, stack):
    """A phone, signed in as the owner."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True,
        reduced_motion="reduce", timezone_id="Asia/Taipei",
    )  # fmt: skip
    page = watch(context.new_page())
    sign_in(page, stack)
    yield page
    assert faults(page) == []
    context.close()


WRITTEN_OVER = """() => {
    const covers = (a, b) =>
        Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2 &&
        Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > Math.min(a.height, b.height) * 0.4;
    const near = new Map();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode, holder = text.parentElement;
        if (!text.data.trim() || !holder.checkVisibility({visibilityProperty: true})) continue;
        const range = document.createRange();
        range.selectNodeContents(text);
        if (holder.clientWidth === 1) continue;
        const block = holder.parentElement;
        const clip = getComputedStyle(holder).overflowX === "visible" ? Infinity
            : holder.getBoundingClientRect().right;
        const lines = [...range.getClientRects()]
            .map(({left, right, top, bottom, height}) =>
                ({left, right: Math.min(right, clip), top, bottom, height}))
            .filter((line) => line.right - line.left > 4);
        near.set(block, [...(near.get(block) ?? []), [text.data.trim(), lines]]);
    }
    const found = [];
    for (const texts of near.values())
        for (const [at, [one, a]] of texts.entries())
            for (const [other, b] of texts.slice(at + 1)) {
                if (a.some((line) => b.some((its) => covers(line, its))))
                    found.push(`"${one}" and "${other}" lie upon each other`);
            }
    return found;
}"""
"""Texts that stand beside each other in the document and on each other on the screen."""


COVERED = """() => {
    const seen = (element, x, y) => {
        for (let at = element; at; at = at.parentElement) {
            const style = getComputedStyle(at), box = at.getBoundingClientRect();
            if (style.overflow !== "visible" &&
                (x < box.left || x > box.right || y < box.top || y > box.bottom)) return false;
        }
        return true;
    };
    const loose = ["fixed", "sticky", "absolute"];
    const floats = (element) => {
        for (let at = element; at; at = at.parentElement)
            if (loose.includes(getComputedStyle(at).position)) return true;
        return false;
    };
    const paints = (element, holder) => {
        for (let at = element; !at.contains(holder); at = at.parentElement)
            if (getComputedStyle(at).backgroundColor !== "rgba(0, 0, 0, 0)") return true;
        return false;
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode, holder = text.parentElement;
        if (!text.data.trim() || holder.clientWidth === 1) continue;
        if (!holder.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
        const range = document.createRange();
        range.selectNodeContents(text);
        for (const line of range.getClientRects()) {
            const x = (line.left + line.right) / 2, y = (line.top + line.bottom) / 2;
            const top = document.elementFromPoint(x, y);
            if (!top || top.contains(holder) || holder.contains(top)) continue;
            if (seen(holder, x, y) && !floats(top) && paints(top, holder))
                found.push(`"${text.data.trim()}" is covered`);
        }
    }
    return found;
}"""
"""Texts on the first screenful that something opaque in the flow of the page stands upon."""


def findings(page) -> list[str]:
    """What axe finds on the page as it stands, texts that are covered, a sideways scroll."""
    found = [*axe_findings(page), *page.evaluate(WRITTEN_OVER), *page.evaluate(COVERED)]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append("scrolls sideways")
    return found


def axe_findings(page) -> list[str]:
    """What axe finds, a sentence each."""
    options = {"runOnly": {"type": "tag", "values": AXE_TAGS}, "resultTypes": ["violations"]}
    result = Axe().run(page, options=options).response
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary'][:160]}"
        for violation in result["violations"]
        for node in violation["nodes"][:3]
    ]

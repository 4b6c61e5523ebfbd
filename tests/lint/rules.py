"""Our own rules about companies and threads, read from the syntax tree; each names its threat.

`ruff` bans what is a plain name (`banned-api`); what needs to see the shape of code stands here.
"""

import ast
from collections.abc import Callable, Iterator

Rule = Callable[[ast.AST], bool]
SCOPE_MAKERS = {"unit_of_work", "choose", "tenancy.unit_of_work", "tenancy.choose"}
TENANT_WORDS = {"connection", "tenancy", "objects", "cursor"}


def _called(node: ast.AST) -> str:
    """The dotted name of what is called, or of a decorator."""
    target = node.func if isinstance(node, ast.Call) else node
    return ast.unparse(target) if isinstance(target, ast.Name | ast.Attribute) else ""


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def makes_a_thread(node: ast.AST) -> bool:
    """T3: a thread, or a pool of threads, begins in no company and may outlive the request."""
    threads = {"Thread", "Timer", "ThreadPoolExecutor", "ThreadPool", "start_new_thread",
               "run_in_executor", "to_thread"}  # fmt: skip
    return isinstance(node, ast.Call) and _last(_called(node)) in threads


def leaves_the_thread(node: ast.AST) -> bool:
    """T3: `sync_to_async(thread_sensitive=False)` runs in a thread of its own."""
    return (
        isinstance(node, ast.Call)
        and _last(_called(node)) in ("sync_to_async", "async_to_sync")
        and any(
            word.arg == "thread_sensitive"
            and not (isinstance(word.value, ast.Constant) and word.value.value is True)
            for word in node.keywords
        )
    )


def decorates_with_a_scope(node: ast.AST) -> bool:
    """T3: a decorator is one shared object for all threads (M3)."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return False
    names = {"unit_of_work", "choose", "tenant_context", "schema_context", "switched_scope"}
    return any(_last(_called(each)) in names for each in node.decorator_list)


def enters_a_company_itself(node: ast.AST) -> bool:
    """T3: `with company:` keeps what was before on the object (M2). Enter by `unit_of_work`."""
    if not isinstance(node, ast.With | ast.AsyncWith):
        return False
    words = {"company", "tenant", "scope", "acme", "globex"}
    return any(
        isinstance(item.context_expr, ast.Name | ast.Attribute)
        and _last(_called(item.context_expr)).lower() in words
        for item in node.items
    )


def keeps_a_scope_for_later(node: ast.AST) -> bool:
    """T3: `entered = unit_of_work(…)` makes an object that somebody else may enter again."""
    if not isinstance(node, ast.Assign | ast.Return):
        return False
    value = node.value
    return isinstance(value, ast.Call) and _called(value) in SCOPE_MAKERS


def caches_what_reads(node: ast.AST) -> bool:
    """T7: `lru_cache` on what reads the database or the company keeps one company's for all."""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    is_cached = any(_last(_called(each)) in ("lru_cache", "cache") for each in node.decorator_list)
    spoken = (each for each in ast.walk(node) if isinstance(each, ast.Name | ast.Attribute))
    names = {_last(ast.unparse(each)) for each in spoken}
    return is_cached and bool(names & TENANT_WORDS)


def empties_the_cache(node: ast.AST) -> bool:
    """T7: `cache.clear()` empties it for every company (M13)."""
    return isinstance(node, ast.Call) and _called(node) in ("cache.clear", "caches.clear")


def sets_the_session(node: ast.AST) -> bool:
    """T1, T2: only `SET LOCAL`, and only where a transaction begins."""
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return False
    text = " ".join(node.value.upper().split())
    return text.startswith(("SET SEARCH_PATH", "SET ROLE", "SET SESSION", "RESET ROLE"))


def listens_to_a_signal(node: ast.AST) -> bool:
    """STYLE: no model signals, no receivers; publish an event."""
    names = {"receiver", "post_save", "pre_save", "post_delete", "pre_delete", "m2m_changed"}
    if isinstance(node, ast.ImportFrom):
        is_django = bool(node.module) and "django" in str(node.module)
        return is_django and bool(names & {each.name for each in node.names})
    return isinstance(node, ast.FunctionDef) and any(
        _last(_called(each)) == "receiver" for each in node.decorator_list
    )


def opens_every_field(node: ast.AST) -> bool:
    """T24: `fields = "__all__"` and `exclude =` in a form or serializer open fields to come."""
    if not isinstance(node, ast.ClassDef) or node.name != "Meta":
        return False
    for each in node.body:
        if isinstance(each, ast.Assign):
            names = {ast.unparse(target) for target in each.targets}
            if "exclude" in names or ("fields" in names and "__all__" in ast.unparse(each.value)):
                return True
    return False


RULES: dict[str, Rule] = {
    rule.__name__: rule
    for rule in (
        makes_a_thread, leaves_the_thread, decorates_with_a_scope, enters_a_company_itself,
        keeps_a_scope_for_later, caches_what_reads, empties_the_cache, sets_the_session,
        listens_to_a_signal, opens_every_field,
    )
}  # fmt: skip
BAD: dict[str, tuple[str, ...]] = {
    "makes_a_thread": (
        "import threading\nthreading.Thread(target=print).start()",
        "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor(2)",
        "asyncio.to_thread(print)", "loop.run_in_executor(None, print)",
    ),
    "leaves_the_thread": (
        "sync_to_async(read, thread_sensitive=False)()",
        "@sync_to_async(thread_sensitive=False)\ndef f(): ...",
    ),
    "decorates_with_a_scope": (
        "@unit_of_work(scope)\ndef f(): ...", "@tenancy.choose(scope)\nasync def f(): ...",
        "@tenant_context(company)\ndef f(): ...",
    ),
    "enters_a_company_itself": ("with company:\n    read()", "with request.tenant:\n    read()"),
    "keeps_a_scope_for_later": ("entered = tenancy.unit_of_work(scope)",),
    "caches_what_reads": (
        "@functools.lru_cache\ndef tags():\n    return list(Tag.objects.all())",
        "@cache\ndef house():\n    return tenancy.current().name",
    ),
    "empties_the_cache": ("cache.clear()",),
    "sets_the_session": (
        "cursor.execute('SET search_path TO t_a')", "cursor.execute('set role t_a')",
        "cursor.execute('SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY')",
    ),
    "listens_to_a_signal": (
        "from django.db.models.signals import post_save",
        "from django.dispatch import receiver\n@receiver(x)\ndef f(**k): ...",
    ),
    "opens_every_field": (
        "class F:\n    class Meta:\n        fields = '__all__'",
        "class F:\n    class Meta:\n        exclude = ['owner']",
    ),
}  # fmt: skip
GOOD = """
with tenancy.unit_of_work(scope):
    read()
with tenancy.choose(scope), transaction.atomic():
    read()
sync_to_async(read)()
sync_to_async(read, thread_sensitive=True)()
cache.delete(key)
cursor.execute("SET LOCAL search_path TO t_a")
@functools.cache
def names():
    return sorted(zones())
class F:
    class Meta:
        fields = ["name"]
"""


def violations(tree: ast.AST, rule: Rule) -> Iterator[int]:
    """The lines at which a rule fires."""
    for node in ast.walk(tree):
        if rule(node):
            yield getattr(node, "lineno", 0)

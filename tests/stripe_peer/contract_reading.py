"""Reads the installed SDK's own files: every v1 operation and the shape of what goes in and out.

Stripe generates the SDK from its API description, so its type files are the contract at exactly
the SDK's API version. The files are parsed, never imported.

Types are kept as JSON: "str", "int", "bool", "float", "none", "any", {"lit": [...]},
{"list": T}, {"map": T}, {"union": [T, ...]}, {"page": T} (Stripe's list object) and {"ref": key},
where key names a class as `module:Class.Inner`.
"""

import ast
import importlib.util
import json
import os
import re
import tempfile
from pathlib import Path

FORMAT = 3
"""Raised when the shape of the cached contract changes."""
PLAIN = {"str": "str", "int": "int", "bool": "bool", "float": "float", "None": "none",
         "Any": "any", "Decimal": "float", "object": "any", "AnyStr": "str"}  # fmt: skip
GENERIC = {"List": "list", "Dict": "map", "UntypedStripeObject": "map", "ListObject": "page",
           "SearchResultObject": "page"}  # fmt: skip
VERBS = {"get", "post", "delete"}


def sdk_folder() -> Path:
    """Where the installed SDK's files are."""
    found = importlib.util.find_spec("stripe")
    if found is None or found.origin is None:
        raise RuntimeError("The stripe package, whose files are the contract, is not installed.")
    return Path(found.origin).parent


def api_version(folder: Path) -> str:
    """The version of Stripe's API for which the SDK was made."""
    text = (folder / "_api_version.py").read_text()
    return re.search(r'CURRENT = "([^"]+)"', text)[1]


def load(folder: Path | None = None) -> dict:
    """{version, operations, classes, resources}, from a cache beside other temporary files."""
    folder = folder or sdk_folder()
    version = api_version(folder)
    name = f"rapport-stripe-contract-{FORMAT}-{version}-{os.getuid()}.json"
    cache = Path(tempfile.gettempdir()) / name
    if cache.exists() and cache.stat().st_uid == os.getuid():
        return json.loads(cache.read_text())
    contract = read(folder)
    with tempfile.NamedTemporaryFile("w", dir=cache.parent, delete=False) as file:
        json.dump(contract, file)
    Path(file.name).replace(cache)
    return contract


def read(folder: Path) -> dict:
    """The contract, read from the SDK's files."""
    modules = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        if "v2" not in parts:
            modules[".".join(parts)] = _Module(".".join(parts), path)
    classes, resources, operations = {}, {}, []
    for module in modules.values():
        module.classes(classes, resources)
        operations += module.operations()
    return {
        "version": api_version(folder), "operations": operations, "classes": classes,
        "resources": resources,
    }  # fmt: skip


class _Module:
    """One file: its imports by name, and its classes."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.tree = ast.parse(path.read_text())
        self.imports: dict[str, str] = {}
        self.own: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("stripe"):
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = f"{node.module}:{alias.name}"
        self._own(self.tree, "")

    def _own(self, node: ast.AST, prefix: str) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef):
                self.own.add(prefix + child.name)
                self._own(child, f"{prefix}{child.name}.")

    # -- classes --------------------------------------------------------------------------------

    def classes(self, into: dict, resources: dict) -> None:
        functional = {}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and _is_call_of(node.value, "TypedDict"):
                functional[node.targets[0].id] = node.value.args[1]
            elif isinstance(node, ast.ClassDef):
                self._class(node, "", into, resources, functional)

    def _class(self, node, prefix, into, resources, functional) -> None:
        scope = prefix + node.name
        fields, required = {}, []
        for base in node.bases:
            written = functional.get(getattr(base, "id", ""))
            if written is not None:
                for key, value in zip(written.keys, written.values, strict=True):
                    self._field(key.value, value, scope, fields, required)
        renamed = {}
        for child in node.body:
            if isinstance(child, ast.ClassDef):
                self._class(child, f"{scope}.", into, resources, functional)
            elif isinstance(child, ast.AnnAssign) and not _is_class_var(child.annotation):
                self._field(child.target.id, child.annotation, scope, fields, required)
            elif isinstance(child, ast.AnnAssign) and child.target.id == "OBJECT_NAME":
                self._resource(child, scope, resources)
            elif isinstance(child, ast.Assign) and child.targets[0].id == "_field_remappings":
                renamed = ast.literal_eval(child.value)
        for ours, theirs in renamed.items():
            fields[theirs] = fields.pop(ours)
        required = [renamed.get(name, name) for name in required]
        into[f"{self.name}:{scope}"] = {"fields": fields, "required": required}

    def _resource(self, node: ast.AnnAssign, scope: str, resources: dict) -> None:
        if node.value is not None:
            resources[node.value.value] = f"{self.name}:{scope}"

    def _field(self, name, annotation, scope, fields, required) -> None:
        optional = False
        if isinstance(annotation, ast.Subscript):
            kind = _last(annotation.value)
            optional = kind in {"Optional", "NotRequired"}
            if kind == "NotRequired":
                annotation = annotation.slice
        fields[name] = self.type_of(annotation, scope)
        if not optional:
            required.append(name)

    # -- types ----------------------------------------------------------------------------------

    def type_of(self, node: ast.expr, scope: str):
        """The JSON form of an annotation met inside the class `scope`."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str):
                return self.type_of(ast.parse(node.value, mode="eval").body, scope)
            return "none"
        if isinstance(node, ast.BinOp):
            return _union([self.type_of(node.left, scope), self.type_of(node.right, scope)])
        if isinstance(node, ast.Subscript):
            return self._generic(_last(node.value), node.slice, scope)
        name = _last(node)
        return PLAIN.get(name) or {"ref": self._resolve(ast.unparse(node), scope)}

    def _generic(self, kind: str, inner: ast.expr, scope: str):
        if kind == "Literal":
            values = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return {"lit": [ast.literal_eval(each) for each in values]}
        if kind == "Union":
            return _union([self.type_of(each, scope) for each in inner.elts])
        if kind == "Optional":
            return _union([self.type_of(inner, scope), "none"])
        if kind == "ExpandableField":
            return _union(["str", self.type_of(inner, scope)])
        if kind == "NotRequired":
            return self.type_of(inner, scope)
        if kind == "Dict":
            inner = inner.elts[1]
        if kind not in GENERIC:  # the SDK's own plumbing, which no operation speaks of
            return "any"
        return {GENERIC[kind]: self.type_of(inner, scope)}

    def _resolve(self, name: str, scope: str) -> str:
        parts = scope.split(".") if scope else []
        while True:
            candidate = ".".join([*parts, name])
            if candidate in self.own:
                return f"{self.name}:{candidate}"
            if not parts:
                break
            parts.pop()
        first, _, rest = name.partition(".")
        found = self.imports.get(first, f"{self.name}:{first}")
        return f"{found}.{rest}" if rest else found

    # -- operations -----------------------------------------------------------------------------

    def operations(self) -> list[dict]:
        if not self.name.endswith("_service"):
            return []
        found = []
        for node in self.tree.body:
            if isinstance(node, ast.ClassDef):
                for child in node.body:
                    if isinstance(child, ast.FunctionDef):
                        found += self._operation(child)
        return found

    def _operation(self, function: ast.FunctionDef) -> list[dict]:
        for call in ast.walk(function):
            if not (isinstance(call, ast.Call) and _last(call.func) == "_request"):
                continue
            verb, path = call.args[0].value, call.args[1]
            template = path.func.value.value if isinstance(path, ast.Call) else path.value
            if verb in VERBS and template.startswith("/v1/"):
                params = [
                    arg.annotation for arg in (*function.args.args, *function.args.kwonlyargs)
                    if arg.arg == "params"
                ]  # fmt: skip
                return [{
                    "method": verb, "path": re.sub(r"\{[^}]*\}", "{}", template),
                    "params": self.type_of(params[0], "") if params else None,
                    "returns": self.type_of(function.returns, ""),
                }]  # fmt: skip
        return []


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _is_call_of(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Call) and _last(node.func) == name


def _is_class_var(node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript) and _last(node.value) == "ClassVar"


def _union(members: list):
    flat = []
    for each in members:
        flat += each["union"] if isinstance(each, dict) and "union" in each else [each]
    return {"union": flat}

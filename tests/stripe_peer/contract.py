"""Holds requests and replies against the types of the SDK (`contract_reading`)."""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from tests.stripe_peer import contract_reading

GONE = ("/v1/invoices/upcoming",)
"""Addresses without an operation any more that would be taken for the id of something."""


@dataclass(frozen=True)
class Finding:
    """What a request has that the contract does not: Stripe's error code, and a sentence."""

    param: str
    message: str
    code: str | None = None


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    params: object
    returns: object

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


class Contract:
    """The operations and classes of one version of the API."""

    def __init__(self, read: dict) -> None:
        self.version = read["version"]
        self.classes, self.resources = read["classes"], read["resources"]
        self.operations = [Operation(**each) for each in read["operations"]]
        self._by_shape: dict = {}
        self._closed: dict[int, list] = {}
        for each in sorted(self.operations, key=lambda known: known.path.count("{}")):
            shape = (each.method, each.path.count("/"))
            self._by_shape.setdefault(shape, []).append((_pattern(each.path), each))

    @classmethod
    def installed(cls) -> "Contract":
        return cls(contract_reading.load())

    def match(self, method: str, path: str) -> tuple[Operation, tuple[str, ...]] | None:
        """The operation at an address, and what stands in the address; fixed words go first."""
        if path.startswith(GONE):
            return None
        for pattern, operation in self._by_shape.get((method.lower(), path.count("/")), ()):
            found = pattern.fullmatch(path)
            if found:
                return operation, found.groups()
        return None

    # -- requests -------------------------------------------------------------------------------

    def read_params(self, operation: Operation, written: dict) -> tuple[dict, list[Finding]]:
        """Parameters as values of their types, and what is wrong with them."""
        findings: list[Finding] = []
        wanted = operation.params
        if isinstance(wanted, dict) and "union" in wanted:
            wanted = next((each for each in wanted["union"] if each != "none"), None)
        if wanted is None:
            findings += [_unknown(name) for name in written]
            return {}, findings
        return self._read(wanted, written, "", findings) or {}, findings

    def _read(self, wanted, written, at: str, findings: list):
        if isinstance(wanted, str):
            return _read_plain(wanted, written, at, findings)
        ((kind, inner),) = wanted.items()
        return getattr(self, f"_read_{kind}")(inner, written, at, findings)

    def _read_lit(self, values, written, at, findings):
        if written not in values:
            said = " or ".join(str(each) for each in values)
            findings.append(Finding(at, f"Invalid {at}: must be {said}"))
        return written

    def _read_list(self, inner, written, at, findings):
        if not isinstance(written, list):
            findings.append(Finding(at, "Invalid array"))
            return []
        return [
            self._read(inner, each, f"{at}[{place}]", findings)
            for place, each in enumerate(written)
        ]

    def _read_map(self, inner, written, at, findings):
        if isinstance(written, list):  # a map whose keys are digits
            written = {str(place): each for place, each in enumerate(written)}
        if not isinstance(written, dict):
            findings.append(Finding(at, "Invalid object"))
            return {}
        return {
            name: self._read(inner, each, _at(at, name), findings) for name, each in written.items()
        }

    def _read_ref(self, key, written, at, findings):
        if not isinstance(written, dict):
            findings.append(Finding(at, "Invalid object"))
            return {}
        shape = self.classes[key]
        read = {}
        for name, each in written.items():
            place = _at(at, name)
            if name not in shape["fields"]:
                findings.append(_unknown(place))
            else:
                read[name] = self._read(shape["fields"][name], each, place, findings)
        for name in shape["required"]:
            if name not in written:
                place = _at(at, name)
                findings.append(
                    Finding(place, f"Missing required param: {place}.", "parameter_missing")
                )
        return read

    def _read_union(self, members, written, at, findings):
        members = [each for each in _closed(members) if each != "none"]
        members.sort(key=lambda each: each == "str")
        best: list | None = None
        for each in members:
            tried: list[Finding] = []
            value = self._read(each, written, at, tried)
            if not tried:
                return value
            if best is None or _fits(each, written):
                best = tried
        findings += best or []
        return written

    # -- replies --------------------------------------------------------------------------------

    def check_reply(self, operation: Operation, reply: dict) -> list[str]:
        """What in a reply is not as the SDK's types say."""
        out: list[str] = []
        self._check(operation.returns, reply, "", out)
        return out

    def check_object(self, found: dict) -> list[str]:
        """What in an object is not as the type it names says."""
        out: list[str] = []
        self._check({"ref": self.resources[found["object"]]}, found, found["object"], out)
        return out

    def _check(self, wanted, value, at: str, out: list) -> None:
        if isinstance(wanted, str):
            if not _is_plain(wanted, value):
                out.append(f"{at}: {value!r} is no {wanted}")
            return
        ((kind, inner),) = wanted.items()
        getattr(self, f"_check_{kind}")(inner, value, at, out)

    def _check_lit(self, values, value, at, out):
        if value not in values:
            out.append(f"{at}: {value!r} is none of {values}")

    def _check_list(self, inner, value, at, out):
        if not isinstance(value, list):
            out.append(f"{at}: {value!r} is no list")
            return
        for place, each in enumerate(value):
            self._check(inner, each, f"{at}[{place}]", out)

    def _check_map(self, inner, value, at, out):
        if not isinstance(value, dict):
            out.append(f"{at}: {value!r} is no map")
            return
        for name, each in value.items():
            self._check(inner, each, _at(at, name), out)

    def _check_page(self, inner, value, at, out):
        if not isinstance(value, dict) or value.get("object") not in {"list", "search_result"}:
            out.append(f"{at}: no list object")
            return
        self._check_list(inner, value.get("data"), f"{at}.data", out)
        known = {"object", "data", "has_more", "url", "total_count", "next_page"}
        out += [f"{at}.{name}: not in the contract" for name in value if name not in known]
        if not isinstance(value.get("has_more"), bool) or not isinstance(value.get("url"), str):
            out.append(f"{at}: a list needs has_more and url")

    def _check_ref(self, key, value, at, out):
        if not isinstance(value, dict):
            out.append(f"{at}: {value!r} is no {key.partition(':')[2]}")
            return
        shape = self.classes[key]
        for name, each in value.items():
            if name in shape["fields"]:
                self._check(shape["fields"][name], each, _at(at, name), out)
            else:
                out.append(f"{_at(at, name)}: not in the contract")
        if value.get("deleted") is True:
            return
        out += [f"{_at(at, name)}: missing" for name in shape["required"] if name not in value]

    def _check_union(self, members, value, at, out):
        if value is None and "none" in members:
            return
        best: list | None = None
        for each in self._closed_once(members):
            tried: list[str] = []
            self._check(each, value, at, tried)
            if not tried:
                return
            if best is None or (_fits(each, value) and self._names(each, value)):
                best = tried
        out += best or []

    def _closed_once(self, members: list) -> list:
        known = self._closed.get(id(members))
        if known is None:
            known = self._closed[id(members)] = _closed(members)
        return known

    def _names(self, wanted, value) -> bool:
        """Whether an object names the very type that is wanted."""
        if not (isinstance(value, dict) and isinstance(wanted, dict) and "ref" in wanted):
            return True
        return self.resources.get(value.get("object")) in {wanted["ref"], None}

    # -- making ---------------------------------------------------------------------------------

    def blank(self, name: str) -> dict:
        """An object of a resource with every field: null where it may be, else empty.

        The choice of each enumeration is left to the caller, who must make it.
        """
        return {**self._blank(self.resources[name]), "object": name}

    def blank_part(self, name: str, part: str) -> dict:
        """As `blank`, for a class inside a resource's, like ("invoice", "Parent")."""
        return self._blank(f"{self.resources[name]}.{part}")

    def _blank(self, key: str) -> dict:
        shape = self.classes[key]
        made = {}
        for name, wanted in shape["fields"].items():
            if name in shape["required"]:
                made[name] = self._blank_value(wanted)
            elif name != "deleted" and not _is_map_of_objects(wanted):
                made[name] = None
        return made

    def _blank_value(self, wanted):
        if isinstance(wanted, str):
            return {"str": "", "int": 0, "bool": False, "float": "0"}.get(wanted)
        ((kind, inner),) = wanted.items()
        if kind == "ref":
            return self._blank(inner)
        if kind == "union":
            return None if "none" in inner else self._blank_value(inner[0])
        empty = {"list": [], "map": {}, "lit": "choose"}
        page = {"object": "list", "data": [], "has_more": False, "url": "/v1"}
        return page if kind == "page" else empty[kind]


def _pattern(path: str) -> re.Pattern:
    return re.compile(re.escape(path).replace(r"\{\}", "([^/]+)"))


def _at(before: str, name: str) -> str:
    return f"{before}[{name}]" if before else name


def _unknown(name: str) -> Finding:
    return Finding(name, f"Received unknown parameter: {name}", "parameter_unknown")


def _closed(members: list) -> list:
    """An enumeration's members without the `str` by which the SDK leaves it open.

    The SDK must bear what Stripe adds later; this peer speaks one version, where a word outside
    the list is a mistake.
    """
    named = [each for each in members if isinstance(each, dict) and any(each.get("lit", []))]
    return [each for each in members if each != "str"] if named else members


def _is_map_of_objects(wanted) -> bool:
    """What Stripe leaves out unless asked for it; the SDK cannot read a null there."""
    members = wanted["union"] if isinstance(wanted, dict) and "union" in wanted else [wanted]
    return any(isinstance(each, dict) and isinstance(each.get("map"), dict) for each in members)


def _fits(wanted, value) -> bool:
    """Whether a type is of the value's general form, so that its findings say the most."""
    kind = next(iter(wanted)) if isinstance(wanted, dict) else "plain"
    if isinstance(value, dict):
        return kind in {"ref", "map", "page"}
    if isinstance(value, list):
        return kind == "list"
    return kind in {"lit", "plain"} and wanted != {"lit": [""]}


def _read_plain(wanted: str, written, at: str, findings: list):
    if wanted == "any":
        return written
    if not isinstance(written, str):
        findings.append(Finding(at, f"Invalid {_SAID.get(wanted, 'string')}"))
        return None
    if wanted == "int":
        if re.fullmatch(r"-?[0-9]{1,18}", written):
            return int(written)
        findings.append(Finding(at, f"Invalid integer: {written}", "parameter_invalid_integer"))
    elif wanted == "bool":
        if written in {"true", "false"}:
            return written == "true"
        findings.append(Finding(at, f"Invalid boolean: {written}"))
    elif wanted == "float":
        try:
            return Decimal(written)
        except InvalidOperation:
            findings.append(Finding(at, f"Invalid decimal: {written}"))
    elif wanted == "none":
        findings.append(Finding(at, "Invalid value"))
    return written


_SAID = {"int": "integer", "bool": "boolean", "float": "decimal", "str": "string"}


def _is_plain(wanted: str, value) -> bool:
    if wanted == "float":
        return isinstance(value, (int, float, Decimal)) or (
            isinstance(value, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value) is not None
        )
    if wanted == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    kinds = {"str": str, "bool": bool, "none": type(None)}
    return wanted == "any" or isinstance(value, kinds[wanted])

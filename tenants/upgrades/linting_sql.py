"""What the statements of a release must not do while people work: read as PostgreSQL will get them.

Every rule has a name (`RULES`). A migration that must break one says why it is harmless:
`accepts = {"type": "the table has ten rows"}`; removals are made by `contract_of` (see `linting`).
"""

import re
from collections.abc import Iterable, Iterator

from django.db.migrations.migration import Migration

from tenants.upgrades import linting_state
from tenants.upgrades.rendering import Rendered

SHOWN = 90
RULES = {
    "removes": "removes what the running code may use: stop using it in one release, remove it in"
    " a later one with `contract_of`",
    "renames": "renames what the running code uses: add, copy, remove",
    "not-null": "asks for a value that the running code's INSERT does not give: give the field a"
    " `db_default` and keep it",
    "null-scan": "reads the whole table while it is locked: let a release before this one add"
    " CheckConstraint(condition=Q(…__isnull=False)), which is proven beside the work; then this"
    " is free",
    "rewrites": "computes a value for each row, which writes the whole table anew while it is"
    " locked: add the column empty and fill it by a `data_step`",
    "type": "changes a type so that the whole table is read or written anew while it is locked: add"
    " a column, copy by a `data_step`, remove the old one later",
    "unproven": "checks every row while the table is locked: use AddConstraint in a migration"
    " without RunPython, on a field without a check of its own; the engine adds it NOT VALID and"
    " proves it afterwards",
    "unique": "makes a unique index while the table's writers wait: put what must be unique into a"
    " new table, or say in `accepts` why this one stays small",
    "index": "makes an index where it holds up writers, or cannot be made at all: use AddIndex in a"
    " migration without RunPython; the engine makes it beside the work where the table is big",
    "keys": "adds several foreign keys to tables that people work with: each locks two tables until"
    " the end, and together they wait for each other; give each a release of its own",
    "rows": "changes rows while the table is locked: name a `data_step`, which moves them in"
    " batches after the tables have changed",
    "lock": "locks a table by hand: take it out, the engine takes the locks it needs and gives up"
    " in time",
    "rebuild": "writes a whole table or index anew under an exclusive lock: leave it to autovacuum,"
    " or do it as maintenance",
    "transaction": "ends or divides the company's one transaction, which would leave it half"
    " upgraded: take it out",
    "place": "leaves the company's schema, its rights or its patience: take it out",
    "hidden": "hides what it does from this check: write plain statements, or RunPython",
}

# A whole statement, by how it begins; the first that fits counts.
_STATEMENTS = (
    ("removes", r"DROP (TABLE|SCHEMA|VIEW|MATERIALIZED VIEW|FUNCTION|SEQUENCE|TYPE)\b"),
    ("renames", r"ALTER (INDEX|SEQUENCE|TYPE|VIEW)\b.*\bRENAME\b"),
    ("lock", r"LOCK\b"),
    ("rebuild", r"(VACUUM|CLUSTER|REINDEX|REFRESH MATERIALIZED VIEW)\b"),
    ("rows", r"TRUNCATE\b"),
    ("transaction", r"(BEGIN|START TRANSACTION|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|PREPARE)\b"),
    ("place", r"(SET|RESET) (LOCAL |SESSION )?(SEARCH_PATH|ROLE|SESSION|LOCK_TIMEOUT)\b"),
    ("hidden", r"(DO|CALL)\b"),
)
# A part of ALTER TABLE on a table that was there before; every one that fits counts.
_PARTS = (
    ("removes", r"DROP COLUMN\b"),
    ("renames", r"RENAME\b"),
    ("rebuild", r"SET (SCHEMA|LOGGED|UNLOGGED|TABLESPACE|ACCESS METHOD)\b"),
    ("not-null", r"ALTER COLUMN \S+ DROP DEFAULT"),
    ("not-null", r"ADD COLUMN (?!.*\bDEFAULT\b)(?!.*\bGENERATED\b).*\bNOT NULL\b"),
    ("rewrites", r"ADD COLUMN .*\b(GENERATED (ALWAYS|BY DEFAULT) AS|(BIG|SMALL)?SERIAL\b)"),
    ("rewrites", r"ADD COLUMN .*\bDEFAULT .*\b(GEN_RANDOM_UUID|UUIDV[47]|RANDOM|NEXTVAL"
     r"|CLOCK_TIMESTAMP)\("),
    ("unproven", r"ADD COLUMN .*\b(CHECK \(|REFERENCES\b)"),
    ("unique", r"ADD COLUMN .*\b(UNIQUE|PRIMARY KEY)\b"),
    ("unique", r"ADD (CONSTRAINT \S+ )?(UNIQUE|PRIMARY KEY|EXCLUDE)\b(?!.*\bUSING INDEX\b)"),
    ("unproven", r"ADD (CONSTRAINT \S+ )?(CHECK|FOREIGN KEY)\b(?!.*\bNOT VALID$)"),
)  # fmt: skip
_SHORT = re.compile(
    r"^(ADD|DROP|ALTER) (?!(COLUMN|CONSTRAINT|UNIQUE|PRIMARY|CHECK|FOREIGN|EXCLUDE|IF)\b)"
)
"""PostgreSQL lets the word COLUMN be left out."""
_TABLE = r"(?:IF EXISTS |ONLY )*(?P<table>\S+)"
_ALTERED = re.compile(rf"ALTER TABLE {_TABLE} (?P<rest>.*)")
_INDEXED = re.compile(r"CREATE (?P<unique>UNIQUE )?INDEX .*?\bON (?:ONLY )?(?P<table>[^\s(]+)")
_MOVED = re.compile(rf"(?:UPDATE|DELETE FROM|MERGE INTO) {_TABLE}")
_TYPED = re.compile(r"ALTER COLUMN (\S+) (?:SET DATA )?TYPE (.+?)(?: USING .*| COLLATE .*)?$")
_NOT_NULL = re.compile(r"ALTER COLUMN (\S+) SET NOT NULL")
_COMMENT = re.compile(r"('(?:[^']|'')*')|--[^\n]*|/\*.*?\*/", re.DOTALL)
_TEXT = re.compile(r"'(?:[^']|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$", re.DOTALL)


def faults_in(rendered: Iterable[Rendered]) -> list[str]:
    """What is wrong with the statements of a release's migrations, one sentence each."""
    return [
        f"{each.migration.app_label}.{each.migration.name} {RULES[rule]} ({statement[:SHOWN]})."
        for each in rendered
        for rule, statement in rules_broken(each)
        if not _is_accepted(each.migration, rule)
    ]


def _is_accepted(migration: Migration, rule: str) -> bool:
    is_contract = bool(getattr(migration, "contract_of", ""))
    reasons: dict[str, str] = getattr(migration, "accepts", {})
    return (is_contract and rule == "removes") or bool(reasons.get(rule))


def rules_broken(rendered: Rendered) -> Iterator[tuple[str, str]]:
    """(rule, statement) for each fault; the first migration of an app finds no work going on."""
    if rendered.migration.initial is True or rendered.migration.name.startswith("0001_"):
        return
    keys = []
    for statement in _statements(rendered.step["sql"]):
        for rule in _rules_of(statement, rendered):
            yield rule, statement
        altered = _ALTERED.match(statement)
        if altered and "FOREIGN KEY" in altered["rest"] and _is_old(altered["table"], rendered):
            keys.append(statement)
    if len(keys) > 1:
        yield "keys", keys[-1]


def _statements(sql: Iterable[str]) -> Iterator[str]:
    """Each statement in one line: words in capitals, names in quotes, without texts and bodies."""
    for text in sql:
        told = _COMMENT.sub(lambda found: found[1] or " ", text)
        for part in _TEXT.sub("''", told).split(";"):
            words = re.split(r'("[^"]*")', " ".join(part.split()))
            if line := "".join(w if w.startswith('"') else w.upper() for w in words):
                yield line


def _is_old(name: str, rendered: Rendered) -> bool:
    """Whether people work with the table already."""
    return _bare(name) not in rendered.made


def _bare(name: str) -> str:
    return name.rpartition(".")[2].strip('"').lower()


def _rules_of(statement: str, rendered: Rendered) -> Iterator[str]:
    for rule, begins in _STATEMENTS:
        if re.match(begins, statement):
            yield rule
            return
    if (moved := _MOVED.match(statement)) and _is_old(moved["table"], rendered):
        yield "rows"
    elif (index := _INDEXED.match(statement)) and _is_old(index["table"], rendered):
        yield "unique" if index["unique"] else "index"
    elif (altered := _ALTERED.match(statement)) and _is_old(altered["table"], rendered):
        for part in _parts(altered["rest"]):
            whole = _SHORT.sub(r"\1 COLUMN ", part)
            yield from _rules_of_part(_bare(altered["table"]), whole, rendered)


def _parts(rest: str) -> Iterator[str]:
    """The actions of one ALTER TABLE: commas outside of brackets divide them."""
    depth, start = 0, 0
    for place, sign in enumerate(rest):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            yield rest[start:place].strip()
            start = place + 1
    yield rest[start:].strip()


def _rules_of_part(table: str, part: str, rendered: Rendered) -> Iterator[str]:
    yield from dict.fromkeys(rule for rule, begins in _PARTS if re.match(begins, part))
    typed, not_null = _TYPED.match(part), _NOT_NULL.match(part)
    if typed:
        before = linting_state.type_of(rendered.before, table, _bare(typed[1]))
        if not linting_state.is_widening(before, typed[2]):
            yield "type"
    if not_null and not linting_state.has_no_nulls(rendered.released, table, _bare(not_null[1])):
        yield "null-scan"

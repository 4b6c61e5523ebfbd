"""The acts of the matrix, by page and by program; each says whether it went through."""

import csv
import io
from collections.abc import Callable
from typing import Any

from crm_core.registry import RecordType
from crm_core.sales.models import Stage
from tests.factories import NOON
from tests.isolation.probes import text_of
from tests.permissions.stage import Play

Act = Callable[[Play, RecordType, int], bool]
DONE = "done by the matrix"


def _row(kind: RecordType, pk: int) -> Any:
    return kind.model._default_manager.get(pk=pk)


def _hide(kind: RecordType, pk: int) -> None:
    kind.model._default_manager.filter(pk=pk).update(deleted_at=NOON)


def _target_stage() -> int:
    return int(Stage.objects.get(name="Proposal").pk)


def page_view(play: Play, kind: RecordType, pk: int) -> bool:
    return bool(play.page.send("GET", f"/{kind.slug}/{pk}/").status_code == 200)


def page_edit(play: Play, kind: RecordType, pk: int) -> bool:
    play.page.send("POST", f"/{kind.slug}/{pk}/field/name/", {"name": DONE})
    return bool(_row(kind, pk).name == DONE)


def page_delete(play: Play, kind: RecordType, pk: int) -> bool:
    play.page.send("POST", f"/{kind.slug}/{pk}/delete/")
    return _row(kind, pk).deleted_at is not None


def page_restore(play: Play, kind: RecordType, pk: int) -> bool:
    _hide(kind, pk)
    play.page.send("POST", f"/{kind.slug}/restore/", {"id": pk})
    return _row(kind, pk).deleted_at is None


def page_trash(play: Play, kind: RecordType, pk: int) -> bool:
    _hide(kind, pk)
    answer = play.page.send("GET", f"/{kind.slug}/trash/")
    return _row(kind, pk).name.lower() in text_of(answer)


def page_bulk_edit(play: Play, kind: RecordType, pk: int) -> bool:
    body = {"id": pk, "field": "source", "source": DONE, "act": "save"}
    play.page.send("POST", f"/{kind.slug}/bulk/edit/", body)
    return bool(_row(kind, pk).source == DONE)


def page_bulk_delete(play: Play, kind: RecordType, pk: int) -> bool:
    play.page.send("POST", f"/{kind.slug}/bulk/delete/", {"id": pk})
    return _row(kind, pk).deleted_at is not None


def page_move(play: Play, kind: RecordType, pk: int) -> bool:
    play.page.send("POST", f"/deals/{pk}/move/", {"stage": _target_stage()})
    return bool(_row(kind, pk).stage_id == _target_stage())


def api_view(play: Play, kind: RecordType, pk: int) -> bool:
    return bool(play.program.send("GET", f"/api/v1/{kind.slug}/{pk}/").status_code == 200)


def api_edit(play: Play, kind: RecordType, pk: int) -> bool:
    any_version = {"if-match": "*"}
    play.program.send("PATCH", f"/api/v1/{kind.slug}/{pk}/", {"name": DONE}, **any_version)
    return bool(_row(kind, pk).name == DONE)


def api_delete(play: Play, kind: RecordType, pk: int) -> bool:
    play.program.send("DELETE", f"/api/v1/{kind.slug}/{pk}/")
    return _row(kind, pk).deleted_at is not None


def api_restore(play: Play, kind: RecordType, pk: int) -> bool:
    _hide(kind, pk)
    play.program.send("POST", f"/api/v1/{kind.slug}/{pk}/restore/")
    return _row(kind, pk).deleted_at is None


def api_move(play: Play, kind: RecordType, pk: int) -> bool:
    play.program.send("POST", f"/api/v1/deals/{pk}/move/", {"stage": str(_target_stage())})
    return bool(_row(kind, pk).stage_id == _target_stage())


EACH: dict[str, dict[str, Act]] = {
    "page": {
        "view": page_view, "edit": page_edit, "delete": page_delete, "restore": page_restore,
        "trash": page_trash, "bulk edit": page_bulk_edit, "bulk delete": page_bulk_delete,
        "move": page_move,
    },
    "api": {
        "view": api_view, "edit": api_edit, "delete": api_delete, "restore": api_restore,
        "move": api_move,
    },
}  # fmt: skip
ONLY = {"move": "deal"}
"""Acts that one kind has."""


def page_create(play: Play, kind: RecordType) -> bool:
    return _creates(kind, lambda: play.page.send("POST", f"/{kind.slug}/new/", _new(kind)))


def api_create(play: Play, kind: RecordType) -> bool:
    return _creates(kind, lambda: play.program.send("POST", f"/api/v1/{kind.slug}/", _new(kind)))


def _new(kind: RecordType) -> dict[str, str]:
    return {"name": DONE, **({"kind": "task"} if kind.name == "activity" else {})}


def _creates(kind: RecordType, send: Callable[[], Any]) -> bool:
    send()
    return bool(kind.model._default_manager.filter(name=DONE).exists())


CREATE = {"page": page_create, "api": api_create}


# -- whole lists: which of the records an answer shows --------------------------------------------


def _names(play: Play, path: str) -> str:
    return text_of(play.page.send("GET", path))


def list_page(play: Play, kind: RecordType) -> str:
    return _names(play, f"/{kind.slug}/")


def picker(play: Play, kind: RecordType) -> str:
    return _names(play, f"/{kind.slug}/pick/")


def search(play: Play, kind: RecordType) -> str:
    return _names(play, f"/search/?q={kind.name}")


def palette(play: Play, kind: RecordType) -> str:
    return _names(play, f"/palette/?q={kind.name}")


def board(play: Play, kind: RecordType) -> str:
    return _names(play, "/deals/board/")


def tasks_of_everybody(play: Play, kind: RecordType) -> str:
    from crm_core.fields import catalogue

    ids = list(catalogue.people())
    return "".join(_names(play, f"/tasks/?who={pk}") for pk in ids)


def api_list(play: Play, kind: RecordType) -> str:
    return text_of(play.program.send("GET", f"/api/v1/{kind.slug}/"))


def export_csv(play: Play, kind: RecordType) -> str:
    """The names in the exported file; nothing when it is refused."""
    answer = play.page.send("GET", f"/export/{kind.name}/")
    if answer.status_code != 200:
        return ""
    text = b"".join(answer).decode("utf-8-sig")
    return "\n".join(cell.lower() for row in csv.reader(io.StringIO(text)) for cell in row)


WHOLE: dict[str, tuple[str, Callable[[Play, RecordType], str], tuple[str, ...]]] = {
    # name: (act of the table, how to ask, kinds it is for; none: every kind)
    "list": ("list", list_page, ()),
    "picker": ("list", picker, ()),
    "search": ("list", search, ("account", "contact", "deal")),
    "palette": ("list", palette, ("account", "contact", "deal")),
    "board": ("list", board, ("deal",)),
    "everybody's tasks": ("list", tasks_of_everybody, ("activity",)),
    "api list": ("list", api_list, ()),
    "export": ("export", export_csv, ()),
}

"""Writing a package: one zip, part by part, nothing held whole.

README.txt           what is in it, in the reader's language
csv/<kind>.csv       every record of a kind, as the export gives it and the import takes it
csv/people.csv       colleagues, for the import
json/<table>.jsonl   every table complete, trash and history too, one row a line
files/…              every file, under the name the tables give
invoices/…           what was billed, each as PDF, and all of it as CSV and JSON
configuration.json   roles, teams, pipelines, fields, tags, views
manifest.json        how many rows each part has
"""

import io
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext as _

from billing.models import Invoice
from crm_core.exchange import exporting, targets
from crm_core.fields.lists import ListQuery
from crm_core.leaving import billed, parts
from crm_core.leaving.models import ExitPackage
from crm_core.registry import RecordType, record_types
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.periods import local_date

CHUNK = 2000
Tell = Callable[[int, int], None]


@dataclass(slots=True)
class Totals:
    """What was written: rows a part, and files."""

    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0

    @property
    def row_count(self) -> int:
        return sum(count for name, count in self.rows.items() if name.startswith("json/"))


class Package:
    """One package being written to `out`; `tell` hears of each part."""

    def __init__(
        self, out: IO[bytes], *, actor: User, at: Any, tell: Tell, bills: Sequence[Invoice] = ()
    ) -> None:
        self._zip = zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self._actor, self._at, self._tell, self._bills = actor, at, tell, bills
        self.totals = Totals()

    def write(self) -> Totals:
        """Write all parts in order."""
        kinds, tables = record_types(), parts.data_models()
        files = list(self._files())
        steps: list[Callable[[], None]] = [
            *(lambda kind=kind: self._records(kind) for kind in kinds),
            self._people,
            *(lambda model=model: self._table(model) for model in tables),
            self._configuration,
            *([self._billed] if self._bills else []),
            *(lambda path=path: self._file(path) for path in files),
        ]
        with self._zip:
            self._zip.writestr("README.txt", readme())
            for done, step in enumerate(steps):
                self._tell(done, len(steps) + 1)
                step()
            manifest = {
                "company": tenancy.current_company().name, "made_at": self._at,
                "rows": self.totals.rows, "files": self.totals.files,
            }  # fmt: skip
            self._zip.writestr("manifest.json", _json(manifest))
        return self.totals

    def _records(self, kind: RecordType) -> None:
        """As the export of the whole list does."""
        made = exporting.export_records(
            query=ListQuery(kind=kind), form="csv", actor=self._actor, today=local_date(self._at),
            at=self._at,
        )  # fmt: skip
        name = f"csv/{kind.slug}.csv"
        with made, self._zip.open(name, "w", force_zip64=True) as part:
            shutil.copyfileobj(made, part)
        self.totals.rows[name] = kind.model._default_manager.filter(deleted_at=None).count()

    def _people(self) -> None:
        fields = list(targets.fields_for(self._actor, targets.kind_of(targets.PERSON)))
        texts = io.BytesIO()
        rows = [
            [_person_cell(person, each.name) for each in fields]
            for person in User.objects.select_related("team").order_by("pk")
        ]
        exporting.write_csv(texts, [str(each.label) for each in fields], iter(rows))
        self._zip.writestr("csv/people.csv", texts.getvalue())
        self.totals.rows["csv/people.csv"] = len(rows)

    def _table(self, model: type[models.Model]) -> None:
        name, count = f"json/{model._meta.db_table}.jsonl", 0
        rows = model._default_manager.order_by("pk").values(*parts.columns(model))
        with self._zip.open(name, "w", force_zip64=True) as part:
            for row in rows.iterator(chunk_size=CHUNK):
                part.write(_json(row).encode() + b"\n")
                count += 1
        self.totals.rows[name] = count

    def _configuration(self) -> None:
        told = {
            model._meta.label: list(
                model._default_manager.order_by("pk").values(*parts.columns(model))
            )
            for model in parts.configuration_models()
        }
        self._zip.writestr("configuration.json", _json(told, indent=1))

    def _billed(self) -> None:
        rows = self._bills
        self._zip.writestr("invoices/invoices.csv", billed.as_csv(rows))
        told = [billed.as_facts(row) for row in rows]
        self._zip.writestr("invoices/invoices.json", _json(told, indent=1))
        for row in rows:
            self._zip.writestr(f"invoices/{row.number}.pdf", billed.as_pdf(row))
        self.totals.rows["invoices/invoices.csv"] = len(rows)

    def _files(self) -> Iterator[Path]:
        folder = Path(settings.MEDIA_ROOT) / str(tenancy.current_company().id)
        packages = {Path(name).name for name in ExitPackage.objects.values_list("file", flat=True)}
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_file() and not path.is_symlink() and path.name not in packages:
                yield path

    def _file(self, path: Path) -> None:
        try:
            self._zip.write(path, f"files/{path.name}")
        except FileNotFoundError:  # removed meanwhile; its row went with it
            return
        self.totals.files += 1


def _person_cell(person: User, name: str) -> str:
    if name == "team":
        return person.team.name if person.team else ""
    return str(getattr(person, name, "") or "")


def _json(value: Any, *, indent: int | None = None) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False, indent=indent)


def readme() -> str:
    """What a person who opens the package reads first."""
    lines = (
        _("All data of %(company)s.") % {"company": tenancy.current_company().name},
        _("csv: every kind of record as a table. Rapport and others can import these files."),
        _("json: every table complete, with what is in the trash and the whole history."),
        _("files: everything that was uploaded, under the names that the tables give."),
        _("invoices: what was billed, each as PDF, and all of it as CSV and JSON."),
        _("configuration.json: roles, teams, pipelines, fields, tags and views."),
        _("Not in it: passwords, sessions, keys of programs and mails waiting to be sent."),
        _("To bring it back: import people first, then companies, contacts, deals and activities."),
    )
    return "\r\n".join(lines) + "\r\n"

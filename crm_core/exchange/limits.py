"""How large a file may be, how many at once, and the sentences that say so."""

from django.utils.translation import gettext as _

from crm_core.registry import RecordType, room
from crm_platform.kernel.errors import Conflict, Invalid, PlanLimitReached
from crm_platform.kernel.limits import Limit, limit_of, limit_words

MIB = 1024 * 1024
COLUMNS = 200
CELL_CHARACTERS = 32_000
UNPACKED_BYTES = 400 * 1024 * 1024
"""What a spreadsheet may hold once unpacked; a workbook of 300,000 rows by 12 has about 150 MB."""
PACKED_PARTS = 2000
UNPACKED_RATIO = 200
"""Real workbooks pack 5 to 40 times smaller; zeros pack 1,000 times."""
RATIO_MATTERS_FROM = 5 * 1024 * 1024
CHILD_BYTES = 768 * 1024 * 1024
"""Address space of the child that opens a spreadsheet (it holds one sheet whole)."""
CHILD_SECONDS = 60


def demand_size(size: int) -> None:
    """Refuse a file that is empty or too large for this company.

    Raises:
        Invalid: it is.
    """
    most = limit_of(Limit.IMPORT_MB)
    if size == 0:
        raise Invalid(_("This file is empty."), field="file")
    if size > most * MIB:
        raise Invalid(
            _(
                "This file has %(size)d MB; at most %(limit)d MB can be read. Split it, or save"
                " it as CSV."
            )
            % {"size": size // MIB + 1, "limit": most},
            field="file",
        )


def rows() -> int:
    """How many rows a file of this company may have."""
    return limit_of(Limit.IMPORT_ROWS)


def too_many_rows() -> Invalid:
    return Invalid(
        _("This file has more than %(limit)s rows. Split it into several files.")
        % {"limit": f"{rows():,}"},
        field="file",
    )


def demand_place(open_jobs: int) -> None:
    """Refuse one more import where as many as the company may have wait or run.

    Raises:
        Conflict: so it is.
    """
    most = limit_of(Limit.IMPORTS)
    if open_jobs >= most:
        raise Conflict(
            _(
                "%(count)d imports of your company wait or run; more than %(limit)d at once are"
                " not taken. Start this one when one of them is done."
            )
            % {"count": open_jobs, "limit": most}
        )


def demand_room(kind: RecordType, count: int) -> None:
    """Refuse a file of new records for which the plan has no room.

    Raises:
        PlanLimitReached: so it is.
    """
    if kind.limit is None:
        return
    left = room.left(kind.limit)
    if left is not None and left < count:
        raise PlanLimitReached(
            _(
                "This file holds %(count)s new records, but your plan has room for %(left)s more"
                " %(limit)s. Choose a column that tells known rows apart, take fewer rows, or have"
                " an owner look under Settings, Billing."
            )
            % {"count": f"{count:,}", "left": f"{left:,}", "limit": limit_words(kind.limit)}
        )


def too_many_columns(count: int) -> Invalid:
    return Invalid(
        _("This file has %(count)s columns; at most %(limit)d can be read.")
        % {"count": f"{count:,}", "limit": COLUMNS},
        field="file",
    )


def cell_too_long(row: int) -> Invalid:
    return Invalid(
        _(
            "A cell in row %(row)d holds more than %(limit)s characters. Is a quote sign missing"
            " there?"
        )
        % {"row": row, "limit": f"{CELL_CHARACTERS:,}"},
        field="file",
    )


def unpacks_too_large() -> Invalid:
    return Invalid(
        _("This workbook is far larger inside than it looks. Save the sheet you need as CSV."),
        field="file",
    )


def not_a_workbook() -> Invalid:
    return Invalid(
        _("This file cannot be opened as a workbook. Save it again as .xlsx or as CSV."),
        field="file",
    )

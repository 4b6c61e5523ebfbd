"""Renting beside running the same software on a server of one's own: what each costs over years.

Everything but the price is an assumption that the reader can change; the sums are whole numbers
in counted units. What both ways need alike (training, data, the reader's own time) is left out.
"""

from dataclasses import dataclass

from billing.currencies import currency as known_currency

HOURS_A_DAY = 8
MONTHS_A_YEAR = 12
HORIZONS = (1, 3, 5)
"""Years that are shown beside each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What a server of one's own takes; amounts in counted units."""

    server_a_month: int
    backup_a_month: int
    admin_hours_a_month: int
    hourly_wage: int
    setup_days: int

    @property
    def setup(self) -> int:
        """Paid once, before the first day."""
        return self.setup_days * HOURS_A_DAY * self.hourly_wage

    @property
    def a_month(self) -> int:
        return (
            self.server_a_month + self.backup_a_month
            + self.admin_hours_a_month * self.hourly_wage
        )  # fmt: skip

    def over(self, years: int) -> int:
        """What it costs in `years` years, set-up included."""
        return self.setup + years * MONTHS_A_YEAR * self.a_month


@dataclass(frozen=True, slots=True)
class Compared:
    """Both ways over some years; `cheaper` is "rented", "own" or "" where they are even."""

    years: int
    rented: int
    own: int

    @property
    def cheaper(self) -> str:
        if self.rented == self.own:
            return ""
        return "rented" if self.rented < self.own else "own"

    @property
    def difference(self) -> int:
        return abs(self.rented - self.own)


# In whole units of the currency: server, backup storage, an hour of somebody who can keep it.
_USUAL = {
    "USD": (80, 10, 50), "EUR": (75, 10, 46), "GBP": (65, 8, 40), "TWD": (2500, 300, 800),
    "CNY": (500, 60, 150), "HKD": (600, 80, 350), "SGD": (110, 14, 65),
    "JPY": (12_000, 1500, 5000), "KRW": (110_000, 14_000, 45_000),
}  # fmt: skip
USUAL_ADMIN_HOURS, USUAL_SETUP_DAYS = 10, 5


def usual(code: str) -> dict[str, int]:
    """Our assumptions for a small company's server, in whole units of the currency.

    Source: our own judgement; no survey stands behind it, which the page says.
    """
    server, backup, wage = _USUAL[code]
    return {
        "server": server, "backup": backup, "admin_hours": USUAL_ADMIN_HOURS, "wage": wage,
        "setup_days": USUAL_SETUP_DAYS,
    }  # fmt: skip


def counted(whole: int, code: str) -> int:
    """Whole units of the currency in counted units."""
    return int(whole * 10 ** known_currency(code).counted)


def compare(*, a_year_per_user: int, users: int, years: int, assumptions: Assumptions) -> Compared:
    """Both ways over `years` years for `users` users."""
    return Compared(years, a_year_per_user * users * years, assumptions.over(years))


def break_even(*, a_year_per_user: int, years: int, assumptions: Assumptions) -> int | None:
    """From how many users on the own server costs less over `years`; None: it never does."""
    if a_year_per_user <= 0:
        return None
    return assumptions.over(years) // (a_year_per_user * years) + 1

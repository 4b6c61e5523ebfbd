"""New features that a company may have early, before a fixed day makes them everybody's.

A topic registers its feature in `AppConfig.ready` and asks `is_on` where it begins. The company's
own choice travels with its scope, so asking costs no query. Once the day has passed for good, take
the question and the registration out of the code. Do not ask within a kept part of a page
(`{% kept %}`): its key knows the choice, but not the day.
"""

import datetime as dt
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import NotFound
from crm_platform.kernel.periods import local_date


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A feature that is optional from the day it `opens` until the day it `becomes_default`.

    Days are the company's own. A release is named when it is built, so code knows days only.
    """

    key: str
    title: str | Promise
    description: str | Promise
    opens: dt.date
    becomes_default: dt.date

    def __post_init__(self) -> None:
        if self.opens >= self.becomes_default:
            raise ValueError(f"The feature {self.key} is never optional.")

    def is_optional(self, today: dt.date) -> bool:
        """Whether a company chooses on that day."""
        return self.opens <= today < self.becomes_default

    def is_on(self, today: dt.date, *, choice: bool) -> bool:
        """Whether it is on that day for a company that has made this choice."""
        return today >= self.becomes_default or (choice and today >= self.opens)


_registered: dict[str, Feature] = {}


def register(feature: Feature) -> None:
    """Enter a feature, once.

    Raises:
        ValueError: another one has its key.
    """
    known = _registered.setdefault(feature.key, feature)
    if known != feature:
        raise ValueError(f"There is another feature called {feature.key}.")


def get(key: str) -> Feature:
    """One feature.

    Raises:
        NotFound: there is none of that key.
    """
    if key not in _registered:
        raise NotFound(_("There is no such feature. Reload the page."))
    return _registered[key]


def optional_on(today: dt.date) -> list[Feature]:
    """What a company chooses on that day, the next to become everybody's first."""
    found = [feature for feature in _registered.values() if feature.is_optional(today)]
    return sorted(found, key=lambda feature: (feature.becomes_default, feature.key))


def is_on(key: str, *, at: dt.datetime) -> bool:
    """Whether the current company has this feature at that moment. No query.

    Raises:
        NotFound: there is no feature of that key.
        NoCompany: no company is chosen.
    """
    choice = dict(tenancy.current_company().features).get(key, False)
    return get(key).is_on(local_date(at), choice=choice)

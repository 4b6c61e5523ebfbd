"""A company that takes another's place takes its rent along."""

from functools import partial

from django.db import transaction

from billing import access, handing_over
from crm_platform.kernel import events
from tenants.backups.events import PlacesExchanged


def hand_over(event: PlacesExchanged) -> None:
    handing_over.hand_over(leaving=event.leaving, coming=event.coming)
    for company_id in (event.leaving, event.coming):
        # Its own tables hold the seats of the day of its backup; the sweep would say so later.
        tell = partial(access.tell_company, company_id, at=event.at)
        transaction.on_commit(tell, robust=True)


def subscribe() -> None:
    events.subscribe(PlacesExchanged, hand_over, when=events.Moment.NOW)

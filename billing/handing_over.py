"""One customer, another company: who rents is the same when a restore takes a company's place."""

from uuid import UUID

from django.utils.translation import gettext as _

from billing.models import Account, Letter, MetricSnapshot
from crm_platform.kernel.errors import Conflict


def hand_over(*, leaving: UUID, coming: UUID) -> None:
    """Give account, letters and figures of one company to another. In the platform's unit.

    Raises:
        Conflict: the other has an account of its own; two cannot become one.
    """
    if not Account.objects.filter(company_id=leaving).exists():
        return
    if Account.objects.filter(company_id=coming).exists():
        raise Conflict(
            _("Both companies have an account of their own. Cancel what the restored one rents, or"
              " restore the backup once more.")
        )  # fmt: skip
    for model in (Account, Letter, MetricSnapshot):
        model.objects.filter(company_id=leaving).update(company_id=coming)

"""What of a company's bills is kept when it is erased: what the seller must keep, nothing else."""

from uuid import UUID

from django.db.models.functions import Now

from billing.models import (
    Account,
    BillingEntry,
    CouponRedemption,
    CreditGrant,
    Invoice,
    Letter,
    Payment,
    PendingChange,
    Subscription,
)

ERASED = "erased"


def forget_company(*, company_id: UUID) -> None:
    """Part of erasing a company, in the platform's unit of work; repeatable.

    Issued invoices with their buyer, and payments, are the seller's books: tax law wants them for
    years. Who of the company did what, and where it was written to, goes. What it brought a month
    stays in the figures, which name nobody.
    """
    Letter.objects.filter(company_id=company_id).delete()
    account = Account.objects.filter(company_id=company_id).first()
    if account is None:
        return
    Subscription.objects.filter(account=account, ended_at=None).update(ended_at=Now())
    PendingChange.objects.filter(subscription__account=account).update(by=ERASED)
    CouponRedemption.objects.filter(account=account).update(by=ERASED)
    CreditGrant.objects.filter(account=account).update(reason="")
    BillingEntry.objects.filter(account=account).update(by=ERASED, reason="", facts={})
    if not Invoice.objects.filter(account=account).exists():
        Payment.objects.filter(account=account).delete()
        BillingEntry.objects.filter(account=account).delete()
        Subscription.objects.filter(account=account).delete()
        account.delete()
        return
    Account.objects.filter(pk=account.pk).update(
        legal_name=ERASED, address="", email="", tax_id="", tax_id_kind=""
    )
    Subscription.objects.filter(account=account).update(end_reason="")

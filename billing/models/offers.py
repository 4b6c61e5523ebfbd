"""What comes off bills, and moves of companies from one version of a plan to another."""

from django.db import models
from django.db.models import F, Q

from billing.models.catalogue import PlanVersion, Price


class Coupon(models.Model):
    """Something off every bill for a whole period; who redeemed it stands in the redemptions."""

    code = models.CharField(max_length=40, unique=True, help_text="In capital letters.")
    percent = models.PositiveSmallIntegerField(null=True)
    amount = models.BigIntegerField(null=True, help_text="Off each bill, instead of a percentage.")
    currency = models.CharField(max_length=3, default="", help_text="Of the amount.")
    interval = models.CharField(max_length=5, default="", help_text="Only for it; empty: for any.")
    plans = models.JSONField(default=list, help_text="Ids; none: every plan.")
    periods = models.PositiveSmallIntegerField(null=True, help_text="How many; null: for ever.")
    most = models.PositiveIntegerField(null=True, help_text="Redemptions.")
    redeemed = models.PositiveIntegerField(default=0)
    valid_until = models.DateTimeField(null=True, help_text="It can be redeemed until then.")
    partner = models.CharField(max_length=120, default="", help_text="Who brings the companies.")
    by = models.CharField(max_length=250)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="coupon_percent_or_amount",
                condition=Q(percent__range=(1, 100), amount=None) | Q(percent=None, amount__gt=0),
            ),
            models.CheckConstraint(
                name="coupon_not_too_often", condition=Q(most=None) | Q(redeemed__lte=F("most"))
            ),
        ]

    def __str__(self) -> str:
        return self.code


class CouponRedemption(models.Model):
    """A coupon at work for a subscription."""

    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="redemptions")
    account = models.ForeignKey("Account", on_delete=models.CASCADE, related_name="redemptions")
    subscription = models.ForeignKey(
        "Subscription", on_delete=models.CASCADE, related_name="redemptions"
    )
    used = models.PositiveSmallIntegerField(default=0, help_text="Periods it was taken off.")
    covers_until = models.DateTimeField(null=True, help_text="The end of the last of them.")
    by = models.CharField(max_length=250)
    at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("coupon", "account", name="coupon_once_an_account"),
            models.UniqueConstraint(
                "subscription", condition=Q(ended_at=None), name="one_coupon_at_a_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.coupon_id} for {self.subscription_id}"


class CreditGrant(models.Model):
    """Credit given to an account; the next bills use it up. It holds once it is agreed to."""

    account = models.ForeignKey("Account", on_delete=models.CASCADE, related_name="grants")
    amount = models.BigIntegerField()
    left = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=300)
    partner = models.CharField(max_length=120, default="")
    by = models.CharField(max_length=250)
    at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    agreed_by = models.CharField(max_length=250, default="", help_text="The second operator.")
    agreed_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="Used up, or withdrawn.")

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="grant_left_of_it", condition=Q(left__gte=0, left__lte=F("amount"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.left}"


class PlanMove(models.Model):
    """Companies go from one version of a plan to another: asked for and agreed to by operators."""

    source = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="moves_away")
    target = models.ForeignKey(PlanVersion, on_delete=models.PROTECT, related_name="moves_here")
    holds_from = models.DateTimeField(help_text="It begins with the first renewal from then on.")
    reason = models.CharField(max_length=300)
    asked_by = models.CharField(max_length=250)
    asked_at = models.DateTimeField()
    agreed_by = models.CharField(max_length=250, default="")
    agreed_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=250, default="")
    undone_at = models.DateTimeField(null=True)
    undo_reason = models.CharField(max_length=300, default="")

    class Meta:
        ordering = ["-asked_at", "-id"]

    def __str__(self) -> str:
        return f"{self.source_id} to {self.target_id}"


class PlanMoveItem(models.Model):
    """One company's part of a move, and how far it has come."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        PLANNED = "planned", "Planned"
        DONE = "done", "Done"
        LEFT = "left", "Chose otherwise"
        BLOCKED = "blocked", "Blocked"
        UNDONE = "undone", "Taken back"
        RETURNING = "returning", "Going back"
        RETURNED = "returned", "Gone back"

    move = models.ForeignKey(PlanMove, on_delete=models.CASCADE, related_name="items")
    subscription = models.ForeignKey("Subscription", on_delete=models.CASCADE, related_name="moves")
    old_price = models.ForeignKey(Price, on_delete=models.PROTECT, related_name="+")
    new_price = models.ForeignKey(Price, null=True, on_delete=models.PROTECT, related_name="+")
    change = models.ForeignKey(
        "PendingChange", null=True, on_delete=models.SET_NULL, related_name="moves"
    )
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    note = models.CharField(max_length=40, default="", help_text="Why it is blocked: a key.")
    told_at = models.DateTimeField(null=True, help_text="When its owners were written to.")

    class Meta:
        constraints = [models.UniqueConstraint("move", "subscription", name="moved_once")]
        indexes = [models.Index("state", "id", name="move_item_state")]

    def __str__(self) -> str:
        return f"{self.move_id}/{self.subscription_id} {self.state}"

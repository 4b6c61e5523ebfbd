"""Reading the operators."""

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from crm_platform.console import rules
from crm_platform.identity.models import Role, User


@dataclass(frozen=True, slots=True)
class OperatorRow:
    """One operator as the list shows them; `codes_left` counts unused recovery codes."""

    person: User
    is_enrolled: bool
    codes_left: int


def operator_roles() -> QuerySet[Role]:
    """The operators' roles, in their order."""
    return Role.objects.filter(key__in=rules.ROLES).order_by("position", "pk")


def operators() -> list[OperatorRow]:
    """Every operator, active ones first, by name. One query."""
    left = Count("recovery_codes", filter=Q(recovery_codes__used_at=None))
    found = (
        User.objects.select_related("role", "second_factor").annotate(codes_left=left)
        .order_by("-is_active", "name", "pk")
    )  # fmt: skip
    return [OperatorRow(each, hasattr(each, "second_factor"), each.codes_left) for each in found]


def get_operator(pk: int) -> User | None:
    return User.objects.select_related("role").filter(pk=pk).first()

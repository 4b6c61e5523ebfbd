"""Who sets the company up, when what they change is the platform's."""

from django.utils.translation import gettext as _

from crm_platform.identity import rules
from crm_platform.identity.models import User
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import NotAllowed


def demand_setter(actor: User) -> tenancy.Scope:
    """The company, for somebody who may change its settings.

    Raises:
        NotAllowed: the role does not allow it, or the company is read-only.
    """
    rules.demand_ability(actor, "company.settings")
    scope = tenancy.current_company()
    if not scope.writable:
        raise NotAllowed(_("This cannot be changed while the company is read-only."))
    return scope


def name_of(actor: User) -> str:
    """How the platform's side notes who it was."""
    return f"{actor.name} <{actor.email}>"

"""Refusals: sentences a person can act on. Anything else that is raised is a bug."""


class DomainError(Exception):
    """A refusal the user can act on: `str(error)` is a sentence fit to show."""

    code = "refused"
    status = 409

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Invalid(DomainError):
    """What was sent cannot be stored as it is."""

    code, status = "invalid", 422


class NotAllowed(DomainError):
    """The actor's role does not grant this act."""

    code, status = "not_allowed", 403


class ReadOnly(DomainError):
    """The company's state allows reading only; nothing was changed."""

    code, status = "read_only", 403


class NotFound(DomainError):
    """Absent, or hidden from the actor: the two are told apart to nobody."""

    code, status = "not_found", 404


class Conflict(DomainError):
    """Somebody else changed the record first."""

    code, status = "conflict", 409


class TooMany(DomainError):
    """Tried too often; says when to try again."""

    code, status = "too_many", 429


class PlanLimitReached(DomainError):
    """The rented plan does not include this."""

    code, status = "plan_limit", 402


class NoCompany(RuntimeError):
    """Code ran outside every company's unit of work. Always a bug: it fails closed."""


class CrossedCompanies(RuntimeError):
    """Code of one company's unit of work reached for another's. Always a bug: it fails closed."""

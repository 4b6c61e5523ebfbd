"""Answers that are refusals, in Stripe's shape."""


class Refused(Exception):
    """A refusal with its HTTP status and Stripe's `error` object."""

    def __init__(self, status: int, message: str, *, kind: str, **facts) -> None:
        super().__init__(message)
        self.status = status
        given = {name: value for name, value in facts.items() if value is not None}
        self.body = {"error": {"type": kind, "message": message, **given}}


def invalid(message: str, param: str | None = None, code: str | None = None) -> Refused:
    return Refused(400, message, kind="invalid_request_error", param=param, code=code)


def missing(kind: str, ident: str, param: str = "id") -> Refused:
    words = kind.rpartition(".")[2]
    return Refused(
        404, f"No such {words}: '{ident}'", kind="invalid_request_error", param=param,
        code="resource_missing",
    )  # fmt: skip


def declined(message: str, code: str, decline_code: str | None = None, **facts) -> Refused:
    return Refused(402, message, kind="card_error", code=code, decline_code=decline_code, **facts)

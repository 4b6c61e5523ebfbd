"""The second factor: an authenticator app, and codes on paper for the day the phone is gone.

Tries are counted for the person, not for the place: whoever knows the password could come from
anywhere. Wrong tries must be kept, so nothing here is atomic by itself.
"""

import datetime as dt
import secrets

import pyotp
import segno
from django.utils.translation import gettext as _

from crm_platform.identity import attempts, history
from crm_platform.identity.models import RecoveryCode, SecondFactor, Session, User
from crm_platform.identity.onetime import hash_of
from crm_platform.kernel import sealing, tenancy
from crm_platform.kernel.errors import Conflict, Invalid

PURPOSE, PENDING = "second-factor", "second-factor-pending"
STEP_SECONDS = 30
DRIFT_STEPS = 1
"""How many steps a phone's clock may be off, each way."""
ENROL_SECONDS = 900
CODES = 10
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def is_required() -> bool:
    """Whether people of the current scope must have one: operators must."""
    return tenancy.current().is_platform


def is_enrolled(user: User) -> bool:
    return SecondFactor.objects.filter(user=user).exists()


def codes_left(user: User) -> int:
    """How many recovery codes are still unused."""
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def new_secret() -> str:
    """A secret for an app, base32."""
    return pyotp.random_base32()


def seal_pending(user: User, secret: str) -> str:
    """A secret on its way through the enrolment form: nothing is kept before it is confirmed."""
    return sealing.encrypt(f"{PENDING}:{user.pk}", secret)


def open_pending(user: User, sealed: str) -> str:
    """The secret of the form.

    Raises:
        Invalid: altered, of somebody else, or older than a quarter of an hour.
    """
    return sealing.decrypt(
        f"{PENDING}:{user.pk}", sealed, max_age_seconds=ENROL_SECONDS,
        refusal=_("This page is too old. Scan the new picture."),
    )  # fmt: skip


def address_for_app(user: User, secret: str) -> str:
    """What the picture says to the app (`otpauth://…`)."""
    house = tenancy.current().name
    return pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=house)


def picture(user: User, secret: str) -> str:
    """The QR code as the address of an SVG image (`data:`)."""
    code = segno.make(address_for_app(user, secret), error="m")
    return code.svg_data_uri(scale=5, border=3, dark="#000", light="#fff")


def enrol(
    *, user: User, secret: str, code: str, session: Session | None, at: dt.datetime
) -> list[str]:
    """Keep the app as the person's second factor; returns the recovery codes, to be shown once.

    Raises:
        Conflict: they have one already.
        Invalid: the code is not what the app shows.
        TooMany: too many wrong codes.
    """
    _queue_up(user, at)
    if is_enrolled(user):
        raise Conflict(_("You have a second factor already. Sign in with it."))
    step = _step_of(secret, code, after=0, at=at)
    if step is None:
        raise _wrong(user, at)
    keep_secret(user=user, secret=secret, at=at, step=step)
    _confirm(user, session, at)
    history.note("second_factor.enrolled", user, actor=user, at=at)
    return _new_codes(user)


def keep_secret(*, user: User, secret: str, at: dt.datetime, step: int = 0) -> None:
    """Make `secret` the person's second factor; whoever calls has seen a code of it, or made it."""
    sealed = sealing.encrypt(PURPOSE, secret)
    SecondFactor.objects.create(user=user, secret=sealed, last_step=step, created_at=at)


def confirm(*, user: User, code: str, session: Session | None, at: dt.datetime) -> bool:
    """Accept the app's code or a recovery code for this browser; says whether it was the latter.

    Raises:
        Invalid: wrong, or used before.
        TooMany: too many wrong codes.
    """
    _queue_up(user, at)
    if _takes_code(user, code, at):
        _confirm(user, session, at)
        history.note("second_factor.confirmed", user, actor=user, at=at)
        return False
    spent = RecoveryCode.objects.filter(
        user=user, code_hash=_code_hash(user, code), used_at=None
    ).update(used_at=at)
    if not spent:
        raise _wrong(user, at)
    _confirm(user, session, at)
    history.note("second_factor.recovered", user, actor=user, at=at)
    return True


def renew_codes(*, user: User, code: str, at: dt.datetime) -> list[str]:
    """Make new recovery codes; the old ones end. Needs a code of the app.

    Raises:
        Invalid, TooMany: as `confirm`.
    """
    _queue_up(user, at)
    if not _takes_code(user, code, at):
        raise _wrong(user, at)
    history.note("second_factor.codes_renewed", user, actor=user, at=at)
    return _new_codes(user)


def remove(*, user: User) -> None:
    """Take the factor away and sign every browser out; whoever calls has asked for the right."""
    SecondFactor.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    Session.objects.filter(user=user).delete()


def _queue_up(user: User, at: dt.datetime) -> None:
    attempts.queue_up(attempts.SECOND_FACTOR, str(user.pk))
    attempts.demand_room(attempts.SECOND_FACTOR, str(user.pk), at=at)


def _wrong(user: User, at: dt.datetime) -> Invalid:
    attempts.note(attempts.SECOND_FACTOR, str(user.pk), at=at)
    return Invalid(
        _("This code is not right, or it was used already. Wait for the next one."), field="code"
    )


def code_of(secret: str, *, at: dt.datetime) -> str:
    """What an app shows at a moment; for the demo and for tests."""
    return pyotp.TOTP(secret).at(at)


def _takes_code(user: User, code: str, at: dt.datetime) -> bool:
    """Whether it is a code of the app that was not used before; it is used up with that."""
    row = SecondFactor.objects.select_for_update().filter(user=user).first()
    if row is None:
        return False
    secret = sealing.decrypt(PURPOSE, row.secret, refusal=_("Ask for your second factor anew."))
    step = _step_of(secret, code, after=row.last_step, at=at)
    if step is None:
        return False
    row.last_step = step
    row.save(update_fields=["last_step"])
    return True


def _step_of(secret: str, code: str, *, after: int, at: dt.datetime) -> int | None:
    """The step a code belongs to, later than `after`; None for no such code."""
    said, now = "".join(code.split()), int(at.timestamp()) // STEP_SECONDS
    app = pyotp.TOTP(secret)
    found = None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if pyotp.utils.strings_equal(said, app.generate_otp(step)) and step > after:
            found = step
    return found


def _confirm(user: User, session: Session | None, at: dt.datetime) -> None:
    attempts.forget(attempts.SECOND_FACTOR, str(user.pk))
    if session is not None:
        session.second_factor_at = at
        Session.objects.filter(pk=session.pk).update(second_factor_at=at)


def _code_hash(user: User, code: str) -> str:
    return hash_of(f"{user.pk}:{''.join(code.lower().replace('-', '').split())}")


def _new_codes(user: User) -> list[str]:
    """Ten codes of 50 random bits, as `abcde-fghjk`."""
    RecoveryCode.objects.filter(user=user).delete()
    plain = ["".join(secrets.choice(_ALPHABET) for _i in range(10)) for _j in range(CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, code_hash=_code_hash(user, code)) for code in plain
    )
    return [f"{code[:5]}-{code[5:]}" for code in plain]

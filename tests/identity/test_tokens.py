"""Keys for programs: shown once, kept as a hash, ended by time, revocation or leaving (T34)."""

import datetime as dt

import pytest

from crm_platform.identity.models import ApiToken
from crm_platform.identity.services import people, tokens
from crm_platform.kernel import tenancy
from crm_platform.kernel.errors import Invalid, NotAllowed, NotFound
from tests import factories

NOON = factories.NOON


def make(user, **values):
    given = {"name": "erp", "scope": "read", "days": 30, **values}
    return tokens.make_token(user=user, **given, at=NOON)


def test_key_opens_for_its_owner_until_it_ends(member):
    token, key = make(member)

    assert tokens.token_of_key(key, at=NOON).user == member
    assert tokens.token_of_key(key, at=NOON + dt.timedelta(days=30)) is None
    assert key.startswith(f"rap_{token.prefix}_")


def test_only_a_hash_is_kept(member):
    token, key = make(member)

    assert key not in str(ApiToken.objects.filter(pk=token.pk).values().get())


def test_key_opens_nothing_in_the_other_company(member, globex):
    _token, key = make(member)

    with tenancy.unit_of_work(globex):
        assert tokens.token_of_key(key, at=NOON) is None


def test_revoked_key_is_refused_at_once(member):
    token, key = make(member)

    tokens.revoke_token(token_id=token.pk, user=member, at=NOON)

    assert tokens.token_of_key(key, at=NOON) is None


def test_key_of_somebody_who_left_is_refused_even_after_they_come_back(member, owner):
    _token, key = make(member)

    people.deactivate(person=member, successor=None, actor=owner, at=NOON)
    people.reactivate(person=member, actor=owner, at=NOON)

    assert tokens.token_of_key(key, at=NOON) is None


def test_nobody_revokes_anothers_key(member, owner):
    token, _key = make(member)

    with pytest.raises(NotFound):
        tokens.revoke_token(token_id=token.pk, user=owner, at=NOON)


@pytest.mark.parametrize("wrong", [{"days": 366}, {"days": 0}, {"scope": "all"}, {"name": " "}])
def test_key_without_name_end_or_known_scope_is_refused(member, wrong):
    with pytest.raises(Invalid):
        make(member, **wrong)


def test_viewer_makes_no_key(viewer):
    with pytest.raises(NotAllowed):
        make(viewer)


@pytest.mark.parametrize("key", ["", "rap_", "Bearer x", "rap_deadbeef_" + "a" * 43, "rap_\x00_"])
def test_nonsense_opens_nothing(in_acme, key):
    assert tokens.token_of_key(key, at=NOON) is None


def test_new_key_is_shown_in_its_answer_and_never_again(member, acme, client_for):
    client = client_for(acme, member)

    answer = client.post("/me/tokens/", {"name": "erp", "scope": "write", "days": "7"})

    prefix = ApiToken.objects.get(user=member).prefix
    assert f"rap_{prefix}_".encode() in answer.content.replace(f"rap_{prefix}_…".encode(), b"")
    again = client.get("/me/tokens/").content.replace(f"rap_{prefix}_…".encode(), b"")
    assert f"rap_{prefix}_".encode() not in again

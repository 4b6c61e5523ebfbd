"""Idempotency and the faults that can be asked for."""

import time

import pytest
import stripe


def create(shop, key="key-1", **more):
    return shop.api.v1.customers.create(
        {"email": "a@example.com", **more}, {"idempotency_key": key}
    )


def replayed(found) -> bool:
    return found.last_response.headers.get("Idempotent-Replayed") == "true"


def test_the_same_key_and_parameters_give_the_same_answer(peer, shop):
    first, again = create(shop), create(shop)
    assert (first.id, replayed(first)) == (again.id, False)
    assert replayed(again)
    assert len(peer.objects("customer")) == 1


def test_the_same_key_with_other_parameters_is_refused(peer, shop):
    create(shop)
    with pytest.raises(stripe.IdempotencyError) as refused:
        create(shop, name="Other")
    assert refused.value.http_status == 400
    assert len(peer.objects("customer")) == 1


def test_a_key_is_forgotten_after_24_hours(peer, shop):
    first = create(shop)
    peer.advance(seconds=86_399)
    assert create(shop).id == first.id
    peer.advance(seconds=1)
    assert create(shop).id != first.id


def test_a_refusal_of_the_work_is_kept_too(shop):
    def subscribe():
        return shop.api.v1.subscriptions.create(
            {"customer": "cus_none", "items": [{"price": "price_none"}]}, {"idempotency_key": "k"}
        )

    for expected in (None, "true"):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            subscribe()
        assert refused.value.headers.get("Idempotent-Replayed") == expected


def test_a_request_that_did_not_begin_is_not_kept(peer, shop):
    with pytest.raises(stripe.InvalidRequestError):
        create(shop, colour="red")
    peer.violations(forget=True)
    assert not replayed(create(shop))


def test_a_drop_before_the_work_leaves_nothing(peer, shop):
    peer.fault("drop_before", prefix="/v1/customers")
    with pytest.raises(stripe.APIConnectionError):
        create(shop)
    assert peer.objects("customer") == []
    assert not replayed(create(shop))


def test_a_drop_after_the_work_is_found_by_the_key(peer, shop):
    peer.fault("drop_after", prefix="/v1/customers")
    with pytest.raises(stripe.APIConnectionError):
        create(shop)
    (made,) = peer.objects("customer")
    again = create(shop)
    assert (again.id, replayed(again)) == (made["id"], True)


@pytest.mark.parametrize(("kind", "made"), [("saved_500", 0), ("applied_500", 1)])
def test_a_saved_500_stays_whatever_was_done(peer, shop, kind, made):
    peer.fault(kind)
    for expected in (None, "true", "true"):
        with pytest.raises(stripe.APIError) as broken:
            create(shop)
        assert broken.value.http_status == 500
        assert broken.value.headers.get("Idempotent-Replayed") == expected
    assert len(peer.objects("customer")) == made


def test_a_500_that_is_not_saved_goes_away(peer, shop):
    peer.fault("unsaved_500", count=2)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            create(shop)
    assert not replayed(create(shop))


def test_too_many_and_locked(peer, shop):
    peer.fault("429")
    with pytest.raises(stripe.RateLimitError):
        create(shop)
    peer.fault("409")
    with pytest.raises(stripe.APIError) as locked:
        create(shop)
    # The SDK has no class for a 409, and its general one does not carry the code.
    said = locked.value.json_body["error"]["code"]
    assert (locked.value.http_status, said) == (409, "lock_timeout")
    assert not replayed(create(shop))


def test_a_hang_outlasts_the_client_but_the_work_is_done(peer, shop):
    peer.fault("hang", seconds=1.5)
    impatient = peer.stripe(http_client=stripe.RequestsClient(timeout=0.3))
    began = time.monotonic()
    with pytest.raises(stripe.APIConnectionError):
        impatient.v1.customers.create({"email": "a@example.com"}, {"idempotency_key": "key-1"})
    assert time.monotonic() - began < 1.2
    assert replayed(create(shop))


def test_a_fault_meets_only_its_address_and_method(peer, shop):
    peer.fault("unsaved_500", prefix="/v1/products", method="POST")
    create(shop)
    shop.api.v1.products.list()
    with pytest.raises(stripe.APIError):
        shop.price()
    assert peer.counts()["faults"] == {"unsaved_500": 1}


def test_faults_at_random_repeat_with_their_seed(peer, shop):
    def run():
        peer.fault_rate(0.4, kinds=["429", "unsaved_500"], seed=3, method="POST")
        told = []
        for each in range(30):
            try:
                create(shop, key=f"{each}-{len(peer.objects('customer'))}")
                told.append("ok")
            except stripe.StripeError as error:
                told.append(error.http_status)
        made = peer.no_faults()
        assert sum(made.values()) == 30 - told.count("ok")
        return told

    first = run()
    assert set(first) == {"ok", 429, 500}
    assert run() == first


def test_what_a_command_made_twice_is_counted(peer, shop):
    create(shop, key="1", metadata={"command_id": "c-1"})
    create(shop, key="2", metadata={"command_id": "c-1"})
    create(shop, key="3", metadata={"command_id": "c-2"})
    counts = peer.counts()
    assert counts["duplicates"] == {"c-1": {"customer": 2}}
    assert counts["requests"]["POST /v1/customers"] == 3
    assert counts["objects"]["customer"] == 3

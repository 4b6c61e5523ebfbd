"""The customer portal: its configurations and sessions."""

from tests.stripe_peer import customers, errors
from tests.stripe_peer.store import random_word
from tests.stripe_peer.world import (
    PAGING,
    World,
    route,
    set_fields,
    set_metadata,
)

CONFIGURATIONS = "/v1/billing_portal/configurations"
KIND = "billing_portal.configuration"


@route("post", CONFIGURATIONS, "features", "business_profile", "default_return_url", "metadata",
       "name", "login_page")  # fmt: skip
def create_configuration(world: World, params):
    made = world.draft(KIND, "bpc", active=True, metadata={}, updated=world.now())
    made["is_default"] = not world.store.all(KIND)
    features = made["features"]
    features["subscription_cancel"].update(mode="at_period_end", proration_behavior="none")
    features["subscription_cancel"]["cancellation_reason"]["options"] = ["other"]
    features["subscription_update"].update(
        proration_behavior="none", trial_update_behavior="continue_trial", products=[]
    )
    features["subscription_pause"]["duration"]["type"] = "indefinite"
    world.store.put(made)
    _set(made, params)
    world.emit("billing_portal.configuration.created", made)
    return made


def _set(made: dict, params: dict) -> None:
    set_fields(made, params, "default_return_url", "name", "active")
    set_metadata(made, params)
    for name, written in params.get("features", {}).items():
        feature = made["features"][name]
        for key, value in written.items():
            if isinstance(value, dict):
                feature[key].update(value)
            else:
                feature[key] = value if value != "" else []
    for name in ("business_profile", "login_page"):
        made[name].update(params.get(name, {}))


@route("get", CONFIGURATIONS + "/{}")
def get_configuration(world: World, params, ident):
    return world.store.find(KIND, ident)


@route("post", CONFIGURATIONS + "/{}", "features", "business_profile", "default_return_url",
       "metadata", "name", "active", "login_page")  # fmt: skip
def update_configuration(world: World, params, ident):
    found = world.store.find(KIND, ident)
    with world.changing(found, "billing_portal.configuration.updated"):
        _set(found, params)
        found["updated"] = world.now()
    return found


@route("get", CONFIGURATIONS, "active", "is_default", *PAGING)
def list_configurations(world: World, params):
    wanted = {name: params[name] for name in ("active", "is_default") if name in params}
    return world.store.page(world.store.all(KIND, **wanted), params, CONFIGURATIONS)


@route("post", "/v1/billing_portal/sessions", "customer", "configuration", "return_url", "locale",
       "flow_data")  # fmt: skip
def create_session(world: World, params):
    customer = customers.live(world, params["customer"])
    ident = params.get("configuration")
    if ident is None:
        default = next(iter(world.store.all(KIND, is_default=True)), None)
        if default is None:
            raise errors.invalid(
                "No configuration provided and your test mode default configuration has not been "
                "created. Provide a configuration or create your default by saving your customer "
                "portal settings."
            )
        ident = default["id"]
    configuration = world.store.find(KIND, ident, "configuration")
    if "flow_data" in params and params["flow_data"]["type"] != "payment_method_update":
        raise NotImplementedError(f"flow_data[type]={params['flow_data']['type']}")
    made = world.make(
        "billing_portal.session", "bps", customer=customer["id"], configuration=ident,
        return_url=params.get("return_url", configuration["default_return_url"]),
        locale=params.get("locale"),
    )  # fmt: skip
    made["url"] = f"{world.url}/portal/{random_word(32)}"
    world.store.hidden[made["url"]]["session"] = made["id"]
    world.emit("billing_portal.session.created", made)
    return made


def change_card(world: World, session: dict, card: dict) -> None:
    """Make a card the customer's, and what its subscriptions are charged to."""
    from tests.stripe_peer import payments
    from tests.stripe_peer.renewals import OVER, UPDATED

    customer = customers.live(world, session["customer"])
    payments.attach(world, {"customer": customer["id"]}, card["id"])
    world.store.hidden[card["id"]]["set_up"] = True
    with world.changing(customer, "customer.updated"):
        customer["invoice_settings"]["default_payment_method"] = card["id"]
    for each in world.store.all("subscription", customer=customer["id"]):
        if each["status"] not in OVER and each["default_payment_method"]:
            with world.changing(each, UPDATED):
                each["default_payment_method"] = card["id"]

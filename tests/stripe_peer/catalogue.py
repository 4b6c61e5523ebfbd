"""Products, prices, coupons and promotion codes."""

from decimal import Decimal

from tests.stripe_peer import errors
from tests.stripe_peer.store import random_word
from tests.stripe_peer.world import (
    PAGING,
    World,
    deleted,
    demand,
    route,
    set_fields,
    set_metadata,
)

# -- products ------------------------------------------------------------------------------------

ABOUT_PRODUCT = ("name", "active", "description", "unit_label", "statement_descriptor", "url",
                 "tax_code")  # fmt: skip


@route("post", "/v1/products", "id", "metadata", *ABOUT_PRODUCT)
def create_product(world: World, params):
    demand(params, "name")
    if params.get("id") in world.store.kinds["product"]:
        raise errors.invalid(
            f"Product already exists: {params['id']}", "id", "resource_already_exists"
        )
    made = world.make("product", "prod", type="service", active=True, updated=world.now())
    if "id" in params:
        world.store.drop(made)
        made["id"] = params["id"]
        world.store.put(made)
    set_fields(made, params, *ABOUT_PRODUCT)
    set_metadata(made, params)
    world.emit("product.created", made)
    return made


@route("get", "/v1/products/{}")
def get_product(world: World, params, ident):
    return world.store.find("product", ident)


@route("post", "/v1/products/{}", "metadata", "default_price", *ABOUT_PRODUCT)
def update_product(world: World, params, ident):
    found = world.store.find("product", ident)
    with world.changing(found, "product.updated"):
        set_fields(found, params, "default_price", *ABOUT_PRODUCT)
        set_metadata(found, params)
        found["updated"] = world.now()
    return found


@route("delete", "/v1/products/{}")
def delete_product(world: World, params, ident):
    found = world.store.find("product", ident)
    if world.store.all("price", product=ident):
        raise errors.invalid(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    world.emit("product.deleted", found)
    world.store.drop(found)
    return deleted(found)


@route("get", "/v1/products", "active", "ids", *PAGING)
def list_products(world: World, params):
    rows = [
        each for each in world.store.all("product")
        if params.get("active", each["active"]) == each["active"]
        and ("ids" not in params or each["id"] in params["ids"])
    ]  # fmt: skip
    return world.store.page(rows, params, "/v1/products")


# -- prices --------------------------------------------------------------------------------------


@route("post", "/v1/prices", "currency", "product", "product_data", "unit_amount",
       "unit_amount_decimal", "recurring", "lookup_key", "transfer_lookup_key", "nickname",
       "active", "metadata", "tax_behavior", "billing_scheme")  # fmt: skip
def create_price(world: World, params):
    product = params.get("product")
    if product is not None:
        world.store.find("product", product, "product")
    else:
        demand(params, "product_data")
        product = create_product(world, {"name": params["product_data"]["name"]})["id"]
    amount = params.get("unit_amount")
    if amount is None:
        demand(params, "unit_amount_decimal")
        whole = Decimal(params["unit_amount_decimal"])
        amount = int(whole) if whole == int(whole) else None
    if amount is not None and amount < 0:
        raise errors.invalid("Invalid non-negative integer", "unit_amount")
    _free_lookup_key(world, params)
    made = world.make(
        "price", "price", active=True, billing_scheme=params.get("billing_scheme", "per_unit"),
        currency=params["currency"].lower(), product=product, unit_amount=amount,
        unit_amount_decimal=str(params.get("unit_amount_decimal", amount)),
        type="recurring" if "recurring" in params else "one_time",
        recurring=_recurring(world, params.get("recurring")),
        tax_behavior=params.get("tax_behavior", "unspecified"),
    )  # fmt: skip
    set_fields(made, params, "lookup_key", "nickname", "active")
    set_metadata(made, params)
    world.emit("price.created", made)
    return made


def _recurring(world: World, written):
    if written is None:
        return None
    return world.part(
        "price", "Recurring", interval=written["interval"], usage_type="licensed",
        interval_count=written.get("interval_count", 1),
        trial_period_days=written.get("trial_period_days"),
    )  # fmt: skip


def _free_lookup_key(world: World, params: dict, but: dict | None = None) -> None:
    key = params.get("lookup_key")
    taken = [
        each for each in world.store.all("price", lookup_key=key) if key and each is not but
    ]  # fmt: skip
    for each in taken:
        if not params.get("transfer_lookup_key"):
            raise errors.invalid(
                f"A price (`{each['id']}`) already uses that lookup key.", "lookup_key",
                "resource_already_exists",
            )  # fmt: skip
        with world.changing(each, "price.updated"):
            each["lookup_key"] = None


@route("get", "/v1/prices/{}")
def get_price(world: World, params, ident):
    return world.store.find("price", ident)


@route("post", "/v1/prices/{}", "active", "lookup_key", "transfer_lookup_key", "nickname",
       "metadata", "tax_behavior")  # fmt: skip
def update_price(world: World, params, ident):
    found = world.store.find("price", ident)
    _free_lookup_key(world, params, found)
    with world.changing(found, "price.updated"):
        set_fields(found, params, "active", "lookup_key", "nickname", "tax_behavior")
        set_metadata(found, params)
    return found


@route("get", "/v1/prices", "active", "currency", "lookup_keys", "product", "recurring", "type",
       *PAGING)  # fmt: skip
def list_prices(world: World, params):
    keys, every = params.get("lookup_keys"), params.get("recurring", {}).get("interval")
    rows = [
        each for each in world.store.all("price")
        if all(params.get(name, each[name]) == each[name]
               for name in ("active", "currency", "product", "type"))
        and (keys is None or each["lookup_key"] in keys)
        and (every is None or (each["recurring"] or {}).get("interval") == every)
    ]  # fmt: skip
    return world.store.page(rows, params, "/v1/prices")


def plan_of(price: dict, world: World) -> dict:
    """The legacy plan that Stripe still shows beside an item's price."""
    recurring = price["recurring"] or {}
    made = world.contract.blank("plan")
    made.update(
        id=price["id"], active=price["active"], amount=price["unit_amount"],
        amount_decimal=price["unit_amount_decimal"], billing_scheme="per_unit",
        created=price["created"], currency=price["currency"], interval=recurring.get("interval"),
        interval_count=recurring.get("interval_count", 1), product=price["product"],
        usage_type="licensed", metadata=price["metadata"], nickname=price["nickname"],
    )  # fmt: skip
    return made


# -- coupons and promotion codes -----------------------------------------------------------------


@route("post", "/v1/coupons", "id", "amount_off", "currency", "duration", "duration_in_months",
       "max_redemptions", "name", "percent_off", "redeem_by", "metadata")  # fmt: skip
def create_coupon(world: World, params):
    if ("amount_off" in params) == ("percent_off" in params):
        raise errors.invalid("You must pass either percent_off or amount_off, and not both.")
    if "amount_off" in params:
        demand(params, "currency")
    duration = params.get("duration", "once")
    if duration == "repeating":
        demand(params, "duration_in_months")
    ident = params.get("id") or random_word(8)
    if ident in world.store.kinds["coupon"]:
        raise errors.invalid("Coupon already exists.", "id", "resource_already_exists")
    percent = params.get("percent_off")
    if percent is not None and not 0 < percent <= 100:
        raise errors.invalid("Invalid percent_off: must be above 0, at most 100.", "percent_off")
    made = world.draft("coupon", "coupon", duration=duration, valid=True, metadata={})
    made["id"] = ident
    world.store.put(made)
    set_fields(made, params, "amount_off", "currency", "duration_in_months", "max_redemptions",
               "name", "redeem_by")  # fmt: skip
    made["percent_off"] = float(percent) if percent is not None else None
    set_metadata(made, params)
    world.emit("coupon.created", made)
    return made


@route("get", "/v1/coupons/{}")
def get_coupon(world: World, params, ident):
    return world.store.find("coupon", ident)


@route("post", "/v1/coupons/{}", "name", "metadata")
def update_coupon(world: World, params, ident):
    found = world.store.find("coupon", ident)
    with world.changing(found, "coupon.updated"):
        set_fields(found, params, "name")
        set_metadata(found, params)
    return found


@route("delete", "/v1/coupons/{}")
def delete_coupon(world: World, params, ident):
    found = world.store.find("coupon", ident)
    world.emit("coupon.deleted", found)
    world.store.drop(found)
    return deleted(found)


@route("get", "/v1/coupons", *PAGING)
def list_coupons(world: World, params):
    return world.store.page(world.store.all("coupon"), params, "/v1/coupons")


@route("post", "/v1/promotion_codes", "promotion", "code", "customer", "active", "expires_at",
       "max_redemptions", "metadata", "restrictions")  # fmt: skip
def create_promotion_code(world: World, params):
    coupon = world.store.find("coupon", params["promotion"].get("coupon", ""), "promotion[coupon]")
    code = params.get("code") or random_word(8).upper()
    if any(each["active"] for each in world.store.all("promotion_code", code=code)):
        raise errors.invalid(f"An active promotion code with `code: {code}` already exists.")
    made = world.make(
        "promotion_code", "promo", code=code, active=params.get("active", True), metadata={},
        promotion={"type": "coupon", "coupon": coupon["id"]},
    )  # fmt: skip
    set_fields(made, params, "customer", "expires_at", "max_redemptions")
    made["restrictions"].update(params.get("restrictions", {}))
    set_metadata(made, params)
    world.emit("promotion_code.created", made)
    return made


@route("get", "/v1/promotion_codes/{}")
def get_promotion_code(world: World, params, ident):
    return world.store.find("promotion_code", ident)


@route("post", "/v1/promotion_codes/{}", "active", "metadata")
def update_promotion_code(world: World, params, ident):
    found = world.store.find("promotion_code", ident)
    with world.changing(found, "promotion_code.updated"):
        set_fields(found, params, "active")
        set_metadata(found, params)
    return found


@route("get", "/v1/promotion_codes", "active", "code", "coupon", "customer", *PAGING)
def list_promotion_codes(world: World, params):
    rows = [
        each for each in world.store.all("promotion_code")
        if all(params.get(name, each[name]) == each[name] for name in ("active", "customer"))
        and params.get("code", each["code"]).lower() == each["code"].lower()
        and params.get("coupon", each["promotion"]["coupon"]) == each["promotion"]["coupon"]
    ]  # fmt: skip
    return world.store.page(rows, params, "/v1/promotion_codes")

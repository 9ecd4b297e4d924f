"""The API's addresses: which function answers which call, lists, and `expand`."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shop.local.fake_stripe import checkout, coupons, customers, forms, payments
from shop.local.fake_stripe.errors import ApiError, Json
from shop.local.fake_stripe.state import State

# https://docs.stripe.com/expand#limitations
DEEPEST_EXPAND = 4
# https://docs.stripe.com/api/pagination
LONGEST_PAGE = 100
_PAGING = ("limit", "starting_after", "ending_before", "created")


@dataclass(frozen=True)
class Call:
    """One API call, read and checked for its key."""

    state: State
    path: str
    ids: tuple[str, ...]
    params: Json


Handler = Callable[[Call], Json]


def find_route(method: str, path: str) -> tuple[Handler, tuple[str, ...]]:
    """The function for an address and the ids in it; Stripe's 404 when there is none."""
    for route_method, pattern, handler in _ROUTES:
        found = pattern.fullmatch(path)
        if found and route_method == method:
            return handler, found.groups()
    hint = ""
    if path.endswith("/"):
        hint = (
            "If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an "
            "object, make sure you passed a valid (non-empty) identifier in your code. "
        )
    raise ApiError(
        f"Unrecognized request URL ({method}: {path}). {hint}Please see https://stripe.com/docs or we can "
        "help at https://support.stripe.com/.",
        status=404,
    )


def perform(handler: Handler, call: Call) -> Json:
    """Do the call and answer a copy, expanded as asked. The caller holds the state's lock."""
    wanted = forms.items(call.params, "expand")
    for name in wanted:
        if not isinstance(name, str) or len(name.split(".")) > DEEPEST_EXPAND:
            raise ApiError(f"This property cannot be expanded ({name}).", param="expand")
    answer = copy.deepcopy(handler(call))
    for name in wanted:
        _expand(call.state, answer, name.split("."), name)
    return answer


def _expand(state: State, thing: Json, parts: list[str], whole: str) -> None:
    name = parts[0]
    if thing.get("object") == "list" and name == "data" and len(parts) > 1:
        for item in thing["data"]:
            _expand(state, item, parts[1:], whole)
        return
    _include(state, thing, name)
    value = thing.get(name)
    if isinstance(value, str):
        value = thing[name] = copy.deepcopy(state.by_id(value))
        known = value is not None
    else:
        known = name in thing and (value is None or isinstance(value, dict))
    if not known:
        raise ApiError(f"This property cannot be expanded ({whole}).", param="expand")
    if len(parts) > 1 and isinstance(value, dict):
        _expand(state, value, parts[1:], whole)


def _include(state: State, thing: Json, name: str) -> None:
    # Lists Stripe leaves out of an object until they are asked for.
    if thing.get("object") == "checkout.session" and name == "line_items":
        items = state.session_extras[thing["id"]]["line_items"]
        thing[name] = copy.deepcopy(_page(items, {}, f"/v1/checkout/sessions/{thing['id']}/line_items"))
    if thing.get("object") == "charge" and name == "refunds":
        refunds = _newest_first(state, "refunds", {"charge": thing["id"]})
        thing[name] = copy.deepcopy(_page(refunds, {}, f"/v1/charges/{thing['id']}/refunds"))


def _page(found: list[Json], params: Json, path: str) -> Json:
    """One page of a list, as `limit`, `starting_after` and `ending_before` ask."""
    limit = forms.integer(params, "limit", least=1) or 10
    if limit > LONGEST_PAGE:
        message = f"This value must be less than or equal to {LONGEST_PAGE}."
        raise ApiError(message, code="parameter_invalid_integer", param="limit")
    found = [thing for thing in found if _in_range(thing, params)]
    after, before = forms.text(params, "starting_after"), forms.text(params, "ending_before")
    ids = [thing["id"] for thing in found]
    for cursor, param in ((after, "starting_after"), (before, "ending_before")):
        if cursor is not None and cursor not in ids:
            raise ApiError(f"No such object: '{cursor}'", code="resource_missing", param=param)
    if before is not None:
        earlier = found[: ids.index(before)]
        page, more = earlier[-limit:], len(earlier) > limit
    else:
        rest = found[ids.index(after) + 1 :] if after is not None else found
        page, more = rest[:limit], len(rest) > limit
    return {"object": "list", "data": page, "has_more": more, "url": path}


def _in_range(thing: Json, params: Json) -> bool:
    if "created" not in params:
        return True
    if not isinstance(params["created"], dict):
        return bool(thing["created"] == forms.integer(params, "created"))
    bounds = forms.group(params, "created")
    forms.allow_only(bounds, ("gt", "gte", "lt", "lte"), within="created")
    created = int(thing["created"])
    passes = {
        "gt": lambda bound: created > bound,
        "gte": lambda bound: created >= bound,
        "lt": lambda bound: created < bound,
        "lte": lambda bound: created <= bound,
    }
    return all(passes[name](forms.integer(bounds, name, within="created") or 0) for name in bounds)


def _newest_first(state: State, table: str, wanted: Json) -> list[Json]:
    return [
        thing
        for thing in reversed(state.tables[table].values())
        if not thing.get("deleted") and all(thing.get(name) == value for name, value in wanted.items())
    ]


def _lists(table: str, filters: Iterable[str] = ()) -> Handler:
    known = tuple(filters)

    def answer(call: Call) -> Json:
        forms.allow_only(call.params, (*_PAGING, *known))
        wanted = {name: call.params[name] for name in known if name in call.params}
        return _page(_newest_first(call.state, table, wanted), call.params, call.path)

    return answer


def _retrieves(table: str, param: str) -> Handler:
    def answer(call: Call) -> Json:
        forms.allow_only(call.params, ())
        return call.state.find(table, call.ids[0], param=param)

    return answer


def _line_items(call: Call) -> Json:
    forms.allow_only(call.params, _PAGING[:3])
    call.state.find("sessions", call.ids[0], param="session")
    return _page(call.state.session_extras[call.ids[0]]["line_items"], call.params, call.path)


def _methods(call: Call) -> Json:
    forms.allow_only(call.params, (*_PAGING[:3], "type", "customer", "allow_redisplay"))
    customer = call.ids[0] if call.ids else forms.needed(call.params, "customer")
    found = list(reversed(customers.methods_of(call.state, customer)))
    for name in ("type", "allow_redisplay"):
        if name in call.params:
            found = [method for method in found if method[name] == call.params[name]]
    return _page(found, call.params, call.path)


def _customers_method(call: Call) -> Json:
    method = call.state.find("payment_methods", call.ids[1], param="payment_method")
    if method["customer"] != call.ids[0]:
        raise ApiError(f"No such payment_method: '{call.ids[1]}'", status=404, code="resource_missing")
    return method


def _events(call: Call) -> Json:
    forms.allow_only(call.params, (*_PAGING, "type", "types", "delivery_success"))
    types = forms.items(call.params, "types") or [forms.text(call.params, "type")]
    found = _newest_first(call.state, "events", {})
    if types != [None]:
        found = [event for event in found if event["type"] in types]
    if "delivery_success" in call.params:
        taken = forms.flag(call.params, "delivery_success")
        found = [event for event in found if (event["pending_webhooks"] == 0) == taken]
    return _page(found, call.params, call.path)


def _route(method: str, path: str, handler: Handler) -> tuple[str, re.Pattern[str], Handler]:
    return method, re.compile(re.escape(path).replace(r"\{\}", "([^/]+)")), handler


_ROUTES = (
    _route("POST", "/v1/checkout/sessions", lambda call: checkout.create_session(call.state, call.params)),
    _route("GET", "/v1/checkout/sessions", _lists("sessions", ("payment_intent", "customer", "status"))),
    _route("GET", "/v1/checkout/sessions/{}", _retrieves("sessions", "session")),
    _route("GET", "/v1/checkout/sessions/{}/line_items", _line_items),
    _route("POST", "/v1/checkout/sessions/{}/expire", lambda call: checkout.expire_session(call.state, call.ids[0], call.params)),
    _route("POST", "/v1/coupons", lambda call: coupons.create_coupon(call.state, call.params)),
    _route("GET", "/v1/coupons/{}", _retrieves("coupons", "coupon")),
    _route("POST", "/v1/payment_intents", lambda call: payments.create_intent(call.state, call.params)),
    _route("GET", "/v1/payment_intents", _lists("payment_intents", ("customer",))),
    _route("GET", "/v1/payment_intents/{}", _retrieves("payment_intents", "intent")),
    _route("POST", "/v1/payment_intents/{}/confirm", lambda call: payments.confirm_intent(call.state, call.ids[0], call.params)),
    _route("POST", "/v1/payment_intents/{}/cancel", lambda call: payments.cancel_intent(call.state, call.ids[0], call.params)),
    _route("GET", "/v1/charges", _lists("charges", ("customer", "payment_intent"))),
    _route("GET", "/v1/charges/{}", _retrieves("charges", "charge")),
    _route("POST", "/v1/refunds", lambda call: payments.create_refund(call.state, call.params)),
    _route("GET", "/v1/refunds", _lists("refunds", ("charge", "payment_intent"))),
    _route("GET", "/v1/refunds/{}", _retrieves("refunds", "refund")),
    _route("POST", "/v1/customers", lambda call: customers.create_customer(call.state, call.params)),
    _route("GET", "/v1/customers", _lists("customers", ("email",))),
    _route("GET", "/v1/customers/{}", lambda call: customers.retrieve_customer(call.state, call.ids[0])),
    _route("POST", "/v1/customers/{}", lambda call: customers.update_customer(call.state, call.ids[0], call.params)),
    _route("DELETE", "/v1/customers/{}", lambda call: customers.delete_customer(call.state, call.ids[0])),
    _route("GET", "/v1/customers/{}/payment_methods", _methods),
    _route("GET", "/v1/customers/{}/payment_methods/{}", _customers_method),
    _route("POST", "/v1/payment_methods", lambda call: customers.create_method(call.state, call.params)),
    _route("GET", "/v1/payment_methods", _methods),
    _route("GET", "/v1/payment_methods/{}", _retrieves("payment_methods", "payment_method")),
    _route("POST", "/v1/payment_methods/{}/attach", lambda call: customers.attach_method(call.state, call.ids[0], call.params)),
    _route("POST", "/v1/payment_methods/{}/detach", lambda call: customers.detach_method(call.state, call.ids[0], call.params)),
    _route("GET", "/v1/events", _events),
    _route("GET", "/v1/events/{}", _retrieves("events", "event")),
)

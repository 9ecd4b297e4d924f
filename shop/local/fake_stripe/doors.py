"""What each address answers: the API under /v1/, the hosted pages, the control door, the dashboard."""

from __future__ import annotations

import base64
import binascii
import json
import logging
import re
import threading
from urllib.parse import urlsplit

from shop.local.fake_stripe import api, checkout, dashboard, forms, idempotency
from shop.local.fake_stripe.errors import ApiError, Json, server_error
from shop.local.fake_stripe.faults import ApiFault, Faults
from shop.local.fake_stripe.hosted import Hosted
from shop.local.fake_stripe.state import State, new_id
from shop.local.fake_stripe.style import STYLE
from shop.local.fake_stripe.web import Answer, Request, Silence

log = logging.getLogger("fake_stripe.api")

PAGE_HEADERS = {
    "Cache-Control": "no-store",
    # No `form-action`: a paid form is answered with a redirect to the shop, which is another origin.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src http: https: data:; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

# What the control door tells of each object.
_BRIEF = {
    "sessions": (
        "id",
        "status",
        "payment_status",
        "amount_total",
        "currency",
        "payment_intent",
        "client_reference_id",
        "expires_at",
        "metadata",
        "url",
    ),
    "payment_intents": ("id", "status", "amount", "amount_received", "currency", "latest_charge", "metadata"),
    "charges": ("id", "status", "amount", "amount_refunded", "payment_intent", "failure_code"),
    "refunds": ("id", "status", "amount", "payment_intent", "metadata"),
    "customers": ("id", "email", "name"),
}


class Doors:
    """Answers every request the server reads."""

    def __init__(self, state: State, faults: Faults, *, api_key: str, shop_name: str, stopping: threading.Event) -> None:
        self._state = state
        self._faults = faults
        self._api_key = api_key
        self._stopping = stopping
        self._hosted = Hosted(state, shop_name)

    def answer(self, request: Request) -> Answer:
        """The response to one request. Raises Silence where a fault says so."""
        if request.path.startswith("/v1/"):
            return self._api(request)
        if request.path.startswith("/_control/"):
            return self._control(request)
        if request.path == "/assets/style.css":
            return Answer(200, STYLE, "text/css; charset=utf-8", {"Cache-Control": "max-age=60"})
        with self._state.lock:
            checkout.expire_due(self._state)
            if request.path == "/" and request.method in ("GET", "HEAD"):
                page = Answer(200, dashboard.render(self._state))
            else:
                page = self._hosted.answer(request)
        return Answer(page.status, page.body, page.content_type, {**PAGE_HEADERS, **page.headers})

    def _api(self, request: Request) -> Answer:
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        entry: Json = {
            "id": new_id("req_", 14),
            "method": request.method,
            "path": request.path,
            "idempotency_key": key,
            "status": None,
            "replayed": False,
            "at": self._state.now,
        }
        with self._state.lock:
            self._state.requests.append(entry)
        try:
            entry["status"], body = self._call(request, entry)
        except ApiError as refusal:
            entry["status"], body = refusal.status, refusal.body()
        except Silence:
            log.info("%s %s: no answer, as asked", request.method, request.path)
            raise
        except Exception:
            # A fault of this program must reach the caller as an answer, not as a lost connection.
            log.exception("%s %s failed", request.method, request.path)
            entry["status"], body = 500, server_error().body()
        log.info("%s %s %s key=%s %s", request.method, request.path, entry["status"], key, entry["id"])
        headers = {"Request-Id": entry["id"], "Stripe-Version": request.headers.get("Stripe-Version", "")}
        if key is not None:
            headers["Idempotency-Key"] = key
        if entry["replayed"]:
            headers["Idempotent-Replayed"] = "true"
            headers["Original-Request"] = entry["original"]
        return Answer(entry["status"], json.dumps(body, indent=2), "application/json", headers)

    def _call(self, request: Request, entry: Json) -> tuple[int, Json]:
        self._check_key(request)
        params = forms.decode(request.body if request.method == "POST" else request.query)
        handler, ids = api.find_route(request.method, request.path)
        call = api.Call(self._state, request.path, ids, params)
        fault = self._faults.take_api(request.method, request.path)
        kind = fault.kind if fault else None
        if kind == "silence_before":
            raise Silence
        if kind == "error_before":
            raise server_error()
        if entry["idempotency_key"] is None:
            status, body = self._perform(handler, call, entry, fault)
        else:
            status, body = self._once(handler, call, entry, fault)
        if kind == "silence_after":
            raise Silence
        if kind in ("error_after", "error_stored"):
            raise server_error()
        return status, body

    def _check_key(self, request: Request) -> None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                given = ""
        if not given:
            raise ApiError(
                "You did not provide an API key. You need to provide your API key in the Authorization header, "
                "using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
                status=401,
            )
        if given.strip() != self._api_key:
            raise ApiError(f"Invalid API Key provided: {given[:8]}{'*' * 12}", status=401)

    def _once(self, handler: api.Handler, call: api.Call, entry: Json, fault: ApiFault | None) -> tuple[int, Json]:
        key = entry["idempotency_key"]
        print_ = idempotency.fingerprint(entry["method"], call.path, call.params)
        with self._state.lock:
            kept = idempotency.begin(self._state, key, print_)
            if kept is not None:
                entry.update(replayed=True, original=kept["request"])
                return kept["status"], kept["body"]
        try:
            return self._perform(handler, call, entry, fault)
        except Exception:
            with self._state.lock:
                self._state.idempotency.pop(key, None)
            raise

    def _perform(self, handler: api.Handler, call: api.Call, entry: Json, fault: ApiFault | None) -> tuple[int, Json]:
        if fault and fault.kind == "delay":
            self._stopping.wait(fault.seconds)
        # The effect and its stored answer become visible, and are saved, together.
        with self._state.lock:
            checkout.expire_due(self._state)
            self._state.cause = {"id": entry["id"], "idempotency_key": entry["idempotency_key"]}
            try:
                status, body = 200, api.perform(handler, call)
            except ApiError as refusal:
                status, body = refusal.status, refusal.body()
            finally:
                self._state.cause = {"id": None, "idempotency_key": None}
            if entry["idempotency_key"] is not None:
                stored = (500, server_error().body()) if fault and fault.kind == "error_stored" else (status, body)
                idempotency.finish(self._state, entry["idempotency_key"], entry["id"], *stored)
        return status, body

    def _control(self, request: Request) -> Answer:
        # No key here, so a page of some other site that has been pointed at this address is kept out by name.
        host = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
        if not re.fullmatch(r"localhost|127(\.\d+){3}|::1", host) or "Origin" in request.headers:
            return _json(403, {"error": "The control door is for this machine only."})
        if (request.method, request.path) == ("GET", "/_control/state"):
            return _json(200, self._summary())
        if request.path != "/_control/faults" or request.method not in ("GET", "POST", "DELETE"):
            return _json(404, {"error": "There are GET /_control/state and GET, POST, DELETE /_control/faults."})
        try:
            if request.method == "POST":
                self._faults.add(json.loads(request.body))
            elif request.method == "DELETE":
                self._faults.clear()
        except (ValueError, AttributeError, TypeError) as error:
            return _json(400, {"error": f"Not a JSON object of faults: {error}"})
        except ApiError as refusal:
            return _json(400, {"error": refusal.message})
        return _json(200, self._faults.as_json())

    def _summary(self) -> Json:
        with self._state.lock:
            checkout.expire_due(self._state)
            summary: Json = {
                table: [{name: thing.get(name) for name in names} for thing in self._state.tables[table].values()]
                for table, names in _BRIEF.items()
            }
            summary["deliveries"] = [dict(one) for one in self._state.deliveries.values()]
            summary["requests"] = [dict(one) for one in self._state.requests]
        summary["faults"] = self._faults.as_json()
        return summary


def _json(status: int, body: Json) -> Answer:
    return Answer(status, json.dumps(body, indent=2), "application/json")

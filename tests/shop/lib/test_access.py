"""Who gets past the guards, and where the others are sent."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from shop.lib.access import Permission, Viewer, owner_of, require_login, require_staff
from shop.lib.owner import Owner
from shop.lib.viewer import GUEST

ADA = Viewer(user_id="user-1", name="Ada", permissions=frozenset({Permission.ORDERS_VIEW}))


class Known:
    def __init__(self, viewer: Viewer, confirmed: Viewer | None = None) -> None:
        self.viewer = viewer
        self._confirmed = viewer if confirmed is None else confirmed

    def confirm(self, *, with_filters: bool = False) -> Viewer:
        return self._confirmed


def _request(access: Known, method: str = "get", path: str = "/orders/?page=2", **headers: Any) -> HttpRequest:
    request = getattr(RequestFactory(), method)(path, headers=headers)
    request.access = access
    return request  # type: ignore[no-any-return]  # getattr's answer


@require_login
def page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("yours")


@require_staff(Permission.ORDERS_VIEW)
def staff_page(request: HttpRequest, order_id: str) -> HttpResponse:
    return HttpResponse(order_id)


def test_somebody_signed_in_gets_the_page() -> None:
    assert page(_request(Known(ADA))).content == b"yours"


@pytest.mark.parametrize(
    ("method", "headers", "comes_back_to"),
    [
        ("get", {}, "%2Forders%2F%3Fpage%3D2"),
        ("post", {"Referer": "https://shop.example/cart/?a=b"}, "%2Fcart%2F%3Fa%3Db"),
        ("get", {"HX-Request": "true", "Referer": "https://shop.example/cart/"}, "%2Fcart%2F"),
        ("post", {}, "%2F"),
    ],
)
def test_a_guest_is_asked_to_sign_in_and_comes_back(method: str, headers: dict[str, str], comes_back_to: str) -> None:
    answer = page(_request(Known(GUEST), method, **headers))

    assert (answer.status_code, answer["Location"]) == (303, f"/accounts/login/?next={comes_back_to}")


def test_staff_pages_go_by_the_confirmed_viewer() -> None:
    assert staff_page(_request(Known(ADA)), "ord-1").content == b"ord-1"
    assert staff_page(_request(Known(ADA, confirmed=GUEST)), "ord-1").status_code == 303
    with pytest.raises(PermissionDenied):
        staff_page(_request(Known(ADA, confirmed=Viewer(user_id="user-1"))), "ord-1")


def test_the_owner_is_the_signed_in_person_or_the_guest(rf: RequestFactory) -> None:
    assert owner_of(_request(Known(ADA))) == Owner(id="user-1", is_guest=False)
    assert owner_of(_request(Known(GUEST))) is None


def test_sign_in_makes_a_client_somebodys(client: Any, sign_in: Callable[..., Viewer]) -> None:
    staff = sign_in(client, "orders.view")

    assert staff.is_staff
    assert staff.may(Permission.ORDERS_VIEW)
    assert not staff.may(Permission.STAFF_MANAGE)

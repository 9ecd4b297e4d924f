"""Filters of staff's lists, kept under a name: each person's own, of lists they may see, twenty at the most."""

from collections.abc import Callable
from datetime import datetime
from itertools import count

import pytest
from django.test import Client

from accounts.domain import Role
from accounts.saved_filters import MOST_FILTERS, filters_of, save_filter
from shop.lib.viewer import Viewer
from tests.accounts.people import log_in, make_user
from tests.conftest import counted_calls, items_of, words_of
from tests.rivals import run_before, run_before_each

pytestmark = pytest.mark.usefixtures("tables")

SignIn = Callable[..., Viewer]


def _kept(viewer: Viewer) -> list[tuple[str, str, str]]:
    return [(one.listed, one.name, one.query) for one in filters_of(user_id=viewer.user_id)]


def test_a_filter_is_kept_shown_and_forgotten(client: Client, sign_in: SignIn) -> None:
    viewer = sign_in(client, "orders.view", "products.view")
    assert "Keep this filter" in client.get("/staff/orders/?status=processing").content.decode()
    assert "Keep this filter" not in client.get("/staff/orders/?cursor=abc").content.decode()

    query = "status=processing&cursor=abc&since=2026-01-02&evil=1"
    answer = client.post("/staff/filters/orders/", {"name": "To <b>pack</b>", "query": query})

    assert (answer.status_code, answer["Location"]) == (303, "/staff/orders/?status=processing&since=2026-01-02")
    assert _kept(viewer) == [("orders", "To <b>pack</b>", "status=processing&since=2026-01-02")]
    page = client.get(answer["Location"]).content.decode()
    assert (
        '<a href="/staff/orders/?status=processing&amp;since=2026-01-02" aria-current="page">To &lt;b&gt;pack&lt;/b&gt;</a>'
        in page
    )
    assert "Keep this filter" not in page
    assert "To <b>pack" not in words_of(client.get("/staff/products/").content.decode())

    (one,) = filters_of(user_id=viewer.user_id)
    client.post(f"/staff/filters/orders/{one.filter_id}/")
    client.post(f"/staff/filters/orders/{one.filter_id}/")
    assert _kept(viewer) == []


def test_filters_of_products(client: Client, sign_in: SignIn) -> None:
    viewer = sign_in(client, "products.view")
    client.post("/staff/filters/products/", {"name": "Low", "query": "stock=low&tab=active"})
    assert _kept(viewer) == [("products", "Low", "tab=active&stock=low")]
    assert "Low" in words_of(client.get("/staff/products/").content.decode())


def test_each_persons_own(client: Client, sign_in: SignIn, now: datetime) -> None:
    ada = sign_in(client, "orders.view")
    client.post("/staff/filters/orders/", {"name": "Mine", "query": "q=ada"})
    (hers,) = filters_of(user_id=ada.user_id)
    other = Client()
    sign_in(other, "orders.view")

    assert "Mine" not in words_of(other.get("/staff/orders/").content.decode())
    other.post(f"/staff/filters/orders/{hers.filter_id}/")

    assert _kept(ada) == [("orders", "Mine", "q=ada")]


@pytest.mark.parametrize(
    ("name", "query", "said"),
    [
        ("", "q=ada", "Give the filter a name first."),
        ("x" * 41, "q=ada", "at most 40 characters"),
        ("Mine", "cursor=abc", "There was no filter to keep."),
        ("Mine", "", "There was no filter to keep."),
        ("Mine", f"q={'x' * 500}", "There was no filter to keep."),
    ],
)
def test_what_is_not_kept(client: Client, sign_in: SignIn, name: str, query: str, said: str) -> None:
    sign_in(client, "orders.view")
    answer = client.post("/staff/filters/orders/", {"name": name, "query": query}, follow=True)
    assert said in words_of(answer.content.decode())
    assert items_of("Users") == []


def test_a_list_somebody_may_not_see_keeps_nothing(client: Client, sign_in: SignIn) -> None:
    sign_in(client, "products.view")
    assert client.post("/staff/filters/orders/", {"name": "Mine", "query": "q=ada"}).status_code == 403
    assert client.post("/staff/filters/orders/flt-1/").status_code == 403
    assert client.post("/staff/filters/nonsense/", {"name": "Mine", "query": "q=ada"}).status_code == 404
    assert items_of("Users") == []


def test_there_are_twenty_at_the_most_and_a_name_is_used_again(client: Client, sign_in: SignIn, now: datetime) -> None:
    viewer = sign_in(client, "orders.view")
    for number in range(MOST_FILTERS):
        save_filter(user_id=viewer.user_id, listed="orders", name=f"Number {number}", query=f"q={number}", now=now)

    answer = client.post("/staff/filters/orders/", {"name": "One more", "query": "q=x"}, follow=True)
    assert f"You keep {MOST_FILTERS} filters already" in words_of(answer.content.decode())
    client.post("/staff/filters/orders/", {"name": "Number 0", "query": "q=other"})

    assert len(_kept(viewer)) == MOST_FILTERS
    assert _kept(viewer)[-1] == ("orders", "Number 0", "q=other")


def test_two_tabs_lose_nothing_of_each_others(sign_in: SignIn, client: Client, now: datetime) -> None:
    viewer = sign_in(client, "orders.view")

    def rival() -> None:
        save_filter(user_id=viewer.user_id, listed="orders", name="Theirs", query="q=1", now=now)

    with run_before("PutItem", rival):
        save_filter(user_id=viewer.user_id, listed="orders", name="Ours", query="q=2", now=now)

    assert [name for _, name, _ in _kept(viewer)] == ["Theirs", "Ours"]


def test_who_is_never_the_quickest_is_told_and_keeps_nothing(sign_in: SignIn, client: Client, now: datetime) -> None:
    viewer = sign_in(client, "orders.view")
    numbers = count(1)

    def rival() -> None:
        save_filter(user_id=viewer.user_id, listed="orders", name=f"Theirs {next(numbers)}", query="q=1", now=now)

    with run_before_each("PutItem", rival) as calls:
        answer = client.post("/staff/filters/orders/", {"name": "Ours", "query": "q=2"})

    assert (answer.status_code, calls.count("PutItem")) == (503, 5)
    assert [name for _, name, _ in _kept(viewer)] == [f"Theirs {number}" for number in range(1, 6)]


def test_a_list_asks_once_for_its_filters(client: Client, sign_in: SignIn, now: datetime) -> None:
    viewer = sign_in(client, "orders.view")
    costs = []
    for most in (1, MOST_FILTERS):
        for number in range(most):
            save_filter(user_id=viewer.user_id, listed="orders", name=f"Number {number}", query=f"q={number}", now=now)
        with counted_calls() as calls:
            client.get("/staff/orders/")
        costs.append(calls)
    assert costs == [["Query", "GetItem"], ["Query", "GetItem"]]


def test_they_are_read_with_who_asks(client: Client, now: datetime) -> None:
    admin = make_user(now, role=Role.ADMIN)
    log_in(client)
    save_filter(user_id=admin.user_id, listed="orders", name="To pack", query="status=processing", now=now)

    with counted_calls() as calls:
        orders = client.get("/staff/orders/?status=processing").content.decode()
    assert calls == ["BatchGetItem", "Query"]
    assert '<a href="/staff/orders/?status=processing" aria-current="page">To pack</a>' in orders
    with counted_calls() as calls:
        products = client.get("/staff/products/?tab=drafts").content.decode()
    assert calls[0] == "BatchGetItem"
    assert "GetItem" not in calls
    assert "To pack" not in products
    assert "Keep this filter" in products

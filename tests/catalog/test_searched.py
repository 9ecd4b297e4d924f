"""What shoppers search for: counted beside the cart's mark, in few writes, and nothing personal."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.test import Client
from pynamodb.exceptions import UpdateError

from catalog import index_queries, searched
from catalog.search.engine import IndexMissing
from catalog.searched import MOST_A_DAY, note_search
from catalog.searched_domain import Searched, found_nothing, most_searched
from catalog.searched_models import SearchedRow
from tests import factories
from tests.conftest import counted_calls, items_of

Build = Callable[[], None]


@pytest.fixture(autouse=True)
def _shelf(index: Build) -> Iterator[None]:
    factories.make_product(name="Reed lamp", description="A lamp.")
    index()
    searched.forget_searches()
    yield
    searched.forget_searches()


def _note(words: str, now: datetime) -> None:
    note_search(address=f"https://shop.example/products/?q={words}", list_path="/products/", now=now)


def _found(now: datetime) -> list[Searched]:
    return sorted(searched.searched(first=now.date(), last=now.date()), key=lambda one: one.term)


def test_a_search_is_counted_by_its_pages_first_request_and_not_by_its_page(client: Client, now: datetime) -> None:
    client.get("/products/")  # a process reads the menu once in a while
    with counted_calls() as calls:
        client.get("/products/", {"q": "Lamp"})
    assert calls == []

    for address in ("http://testserver/products/?q=L%C3%A1mp", "http://testserver/products/"):
        client.get("/cart/badge/?arrived", headers={"HX-Request": "true", "HX-Current-URL": address})
    client.get("/cart/badge/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/products/?q=table"})

    assert _found(now) == [Searched("lamp", 1, found=True)]


def test_a_process_writes_once_a_minute_and_adds_up_between(now: datetime) -> None:
    with counted_calls() as calls:
        _note("lamp", now)
        for _ in range(5):
            _note("lamp", now + timedelta(seconds=30))
            _note("yacht", now + timedelta(seconds=59))
    assert calls == ["UpdateItem"]
    _note("", now + timedelta(seconds=61))

    assert _found(now) == [Searched("lamp", 6, found=True), Searched("yacht", 5, found=False)]


@pytest.mark.parametrize(
    "words",
    [
        "ada@example.com",
        "0049 171 5551234",
        "ord-01k9x7",
        "my name is ada and i live here",
        "teapot " * 6,
        "%00",
        "lamp&page=2",
        "lamp&cursor=abc",
    ],
)
def test_what_may_be_somebodys_and_further_pages_are_not_counted(now: datetime, words: str) -> None:
    _note(words, now)
    assert [one for one in items_of("Products") if one["PK"]["S"].startswith("SEARCHED")] == []


def test_an_address_that_is_none_counts_nothing(now: datetime) -> None:
    for address in ("", "http://[", "https://shop.example/cart/?q=lamp", "q=lamp"):
        note_search(address=address, list_path="/products/", now=now)
    assert _found(now) == []


def test_a_day_has_so_many_terms_and_goes_on_counting_those_it_has(now: datetime) -> None:
    for number in range(MOST_A_DAY):
        _note(f"term {chr(97 + number // 26)}{chr(97 + number % 26)}", now + timedelta(seconds=number * 2))
    # Now the process has seen the whole row.
    _note("", now + timedelta(minutes=20))
    _note("lamp", now + timedelta(minutes=22))
    _note("term aa", now + timedelta(minutes=24))

    found = {one.term: one.times for one in _found(now)}
    (row,) = [one for one in items_of("Products") if one["PK"]["S"].startswith("SEARCHED")]
    assert (len(found), found["term aa"], "lamp" in found) == (MOST_A_DAY, 2, False)
    assert row["rest"] == {"N": "1"}


def test_trouble_with_the_table_is_no_trouble_of_the_shoppers(
    client: Client, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise UpdateError("no room today")

    monkeypatch.setattr(SearchedRow, "update", fail)
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/products/?q=lamp"}
    assert client.get("/cart/badge/?arrived", headers=headers).status_code == 200
    assert _found(now) == []


def test_what_finds_nothing_is_shown_from_the_second_time_on() -> None:
    days = [Searched("lamp", 1, True), Searched("ada smith", 1, False), Searched("yacht", 1, False), Searched("yacht", 1, False)]

    assert most_searched(days, most=5) == (Searched("lamp", 1, True),)
    assert found_nothing(days, most=5) == (Searched("yacht", 2, False),)


def test_beyond_thirty_terms_between_two_writes_the_rest_is_counted_without_its_words(now: datetime) -> None:
    _note("lamp", now)  # the first is written at once
    for number in range(30):
        _note(f"term {chr(97 + number)}a" if number < 26 else f"term {chr(71 + number)}b", now + timedelta(seconds=1))
    _note("one more", now + timedelta(seconds=2))
    _note("term aa", now + timedelta(seconds=3))
    _note("and another", now + timedelta(seconds=4))
    _note("", now + timedelta(seconds=61))

    found = {one.term: one.times for one in _found(now)}
    (row,) = [one for one in items_of("Products") if one["PK"]["S"].startswith("SEARCHED")]
    assert (len(found), found["term aa"], "one more" in found, row["rest"]) == (31, 2, False, {"N": "2"})


def test_without_an_index_nobody_knows_what_a_search_found_and_nothing_is_counted(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(**_: object) -> bool:
        raise IndexMissing("none was published")

    monkeypatch.setattr(index_queries, "finds_anything", missing)
    _note("lamp", now)
    assert [one for one in items_of("Products") if one["PK"]["S"].startswith("SEARCHED")] == []
    monkeypatch.undo()
    _note("lamp", now)
    assert _found(now) == [Searched("lamp", 1, found=True)]

"""Orders taken out to a spreadsheet: a line for each line, and files that meet where one is too small."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client

from orders import desk_queries, export_views, services
from shop.lib.clock import utc_now
from shop.lib.guests import new_guest
from tests import factories

pytestmark = pytest.mark.usefixtures("tables")


@pytest.fixture
def desk(client: Client, sign_in: Callable[..., Any]) -> Client:
    """Somebody of staff who sees orders."""
    sign_in(client, "orders.view")
    return client


def test_the_export_has_a_line_for_each_line_and_no_formulas(desk: Client, now: datetime) -> None:
    mug, tray = factories.make_product(name="=HYPERLINK(1)"), factories.make_product(name="Tray")
    details = replace(factories.DETAILS, address=replace(factories.ADDRESS, name="+Ada"))
    order = services.place_order(
        **factories.ready_to_order(new_guest(now), {mug.product_id: 2, tray.product_id: 1}, now, details)
    )

    answer = desk.get("/staff/orders/export.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))

    assert answer["Content-Disposition"] == 'attachment; filename="orders.csv"'
    assert [(row["order"], row["name"], row["item"], row["quantity"]) for row in rows] == [
        (order.order_id, "'+Ada", "'=HYPERLINK(1)", "2"),
        (order.order_id, "'+Ada", "Tray", "1"),
    ]


def test_an_export_too_large_for_one_file_comes_in_parts_that_meet(
    desk: Client, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    mug = factories.make_product(inventory=10)
    placed = [factories.make_order(new_guest(now), {mug.product_id: 1}, now - timedelta(minutes=5 - n)) for n in range(5)]
    monkeypatch.setattr(desk_queries, "_EXPORTED_AT_ONCE", 2)
    monkeypatch.setattr(export_views, "MOST_BYTES", 400)  # titles and two orders

    found, url = [], "/staff/orders/export.csv?status=pending"
    for _ in range(3):
        page = desk.get(url, follow=True)
        if page["Content-Type"].startswith("text/csv"):
            file = page
        else:
            assert "more orders than fit into one file" in page.text
            file_url, url = (unescape(link) for link in re.findall(r'href="(/staff/orders/export.csv[^"]*)"', page.text))
            # Placed after the first part was offered: it is in no part, and shifts none.
            factories.make_order(new_guest(now), {mug.product_id: 1}, utc_now())
            file = desk.get(file_url)
        assert len(file.content) <= 400
        found += [row["order"] for row in csv.DictReader(io.StringIO(file.content.decode("utf-8-sig")))]

    assert found == [order.order_id for order in reversed(placed)]

"""What a request may weigh: bytes and fields. Beyond it nothing changes and an honest page comes."""

import pytest
from django.conf import settings
from django.test import Client

from tests import factories
from tests.conftest import items_of, words_of

pytestmark = pytest.mark.usefixtures("tables")

LIMIT = 256 * 1024
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(params=[False, True], ids=["unchecked", "checked for its origin"])
def sender(request: pytest.FixtureRequest) -> Client:
    """A browser; the second has Django's own middleware look into its posts, which reads them before any view does."""
    browser = Client(enforce_csrf_checks=request.param)
    browser.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    return browser


POSTS = ["/cart/add/", "/cart/update/", "/checkout/place/"]


@pytest.mark.parametrize("path", [*POSTS, "/webhooks/stripe/"])
def test_a_body_over_the_limit_is_refused_and_changes_nothing(sender: Client, path: str) -> None:
    mug = factories.make_product()
    body = f"product_id={mug.product_id}&quantity=1&more=".ljust(LIMIT + 1, "x")

    answer = sender.post(path, body, content_type=FORM)

    assert answer.status_code == 400
    assert "We could not make sense of that request" in words_of(answer.text)
    assert (items_of("Carts"), items_of("Orders")) == ([], [])


def test_a_body_of_exactly_the_limit_is_read(client: Client) -> None:
    mug = factories.make_product()
    body = f"product_id={mug.product_id}&quantity=1&more=".ljust(LIMIT, "x")

    answer = client.post("/cart/add/", body, content_type=FORM)

    assert (answer.status_code, answer["Location"]) == (302, "/cart/")
    assert len(items_of("Carts")) == 1


def many_fields(count: int) -> dict[str, str]:
    return {"product_id": factories.make_product().product_id, "quantity": "1"} | {
        f"field{number}": "x" for number in range(count - 2)
    }


@pytest.mark.parametrize("count", [201, 300])
@pytest.mark.parametrize("content_type", [FORM, None], ids=["urlencoded", "multipart"])
@pytest.mark.parametrize("path", POSTS)
def test_too_many_fields_are_refused_and_change_nothing(sender: Client, path: str, content_type: str | None, count: int) -> None:
    fields = many_fields(count)
    if content_type:
        answer = sender.post(path, "&".join(f"{name}={value}" for name, value in fields.items()), content_type=content_type)
    else:
        answer = sender.post(path, fields)

    assert answer.status_code == 400
    assert "We could not make sense of that request" in words_of(answer.text)
    assert items_of("Carts") == []


def test_as_many_fields_as_allowed_are_read(client: Client) -> None:
    assert settings.DATA_UPLOAD_MAX_NUMBER_FIELDS == 200

    answer = client.post("/cart/add/", many_fields(200))

    assert (answer.status_code, len(items_of("Carts"))) == (302, 1)


@pytest.mark.parametrize("path", ["/", "/products/", "/cart/", "/checkout/"])
def test_an_address_of_three_hundred_fields_breaks_no_page(client: Client, path: str) -> None:
    answer = client.get(path + "?" + "&".join(f"field{number}=x" for number in range(300)))

    assert answer.status_code in (200, 302, 400)
    assert answer.headers["Content-Type"].startswith("text/html")

"""Staff's photographs of a product: sent with a script and without one, put in order, described, taken away."""

import json
import re
from datetime import datetime
from functools import partial
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from django.test import Client
from pytest_django import Settings

from catalog import photos, services
from catalog.models import CatalogAuditRow, product_pk
from catalog.photo_staff_views import MOST_PHOTOS
from catalog.photos import storage
from catalog.staff_queries import StoredPhoto
from shop.lib.audit import Change, entries_about
from tests import factories
from tests.catalog.photos import corpus
from tests.catalog.photos.bucket import put_upload, stored_keys
from tests.catalog.staff.typing import EDITOR, URL
from tests.conftest import items_of, words_of
from tests.rivals import run_before

pytestmark = pytest.mark.usefixtures("bucket")

SMALL = corpus.as_bytes(corpus.picture(60, 40))
MOVED = "Somebody changed the photographs meanwhile, so nothing was changed. This is how they are now."
HTMX = {"HX-Request": "true"}


def with_photos(*keys: str) -> str:
    """A product with these photographs; its id."""
    made = factories.product()
    services.create_product(product=made, image_keys=keys)
    return made.product_id


def list_of(product_id: str) -> list[tuple[str, str]]:
    """The photographs as they are stored, each with its words."""
    [row] = [one for one in items_of("Products") if one["PK"]["S"] == product_pk(product_id) and one["SK"]["S"] == "METADATA"]
    texts = row.get("imageTexts", {"M": {}})["M"]
    return [(key["S"], texts.get(key["S"], {"S": ""})["S"]) for key in row["images"]["L"]]


def change(client: Client, product_id: str, do: str, *seen: tuple[str, str], **how: Any) -> Any:
    """Press a button of the list of photographs, on a page that showed these."""
    form = {"do": do, "key": [key for key, _ in seen], "alt": [text for _, text in seen]}
    return client.post(f"{URL}{product_id}/photographs/", form, **how)


def shown_in(page: str) -> list[tuple[str, str]]:
    """The photographs a page lists, each with the words in its field."""
    return re.findall(r'name="key" value="([^"]*)">\s*<input name="alt" value="([^"]*)"', page)


def add_somebody_elses(product_id: str, now: datetime) -> None:
    services.change_photos(
        product_id=product_id, change=lambda before: [*before, StoredPhoto("products/theirs")], actor=EDITOR, now=now
    )


# --- Adding -----------------------------------------------------------------------------------------------------------


def test_a_photograph_is_added_by_buttons_without_a_script(editor: Client) -> None:
    product_id = with_photos("products/first")
    page = editor.get(f"{URL}{product_id}/photographs/add/").text
    form = re.search(r'<form class="sheet" action="([^"]+)" method="post" enctype="multipart/form-data">(.*?)</form>', page, re.S)
    assert form
    fields = {name: unescape(value) for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form[2])}

    sent = urllib3.request("POST", form[1], fields=fields | {"file": ("mug.jpg", SMALL)}, redirect=False)

    assert sent.status == 303
    back = urlsplit(sent.headers["Location"])
    assert back.path == f"{URL}{product_id}/photographs/add/"
    arrived = editor.get(f"{back.path}?{back.query}").text
    assert "The file has arrived." in arrived
    key = re.search(r'name="key" value="([^"]+)"', arrived)
    assert key
    added = editor.post(f"{URL}{product_id}/photographs/finish/", {"key": key[1], "alt": "  A mug,\nfrom above "})
    assert added["Location"] == f"{URL}{product_id}/#photographs"
    assert list_of(product_id) == [("products/first", ""), (photos.finish_upload(key=key[1]), "A mug, from above")]
    assert shown_in(editor.get(f"{URL}{product_id}/").text) == list_of(product_id)


def test_a_script_gets_a_signed_form_and_then_the_list(editor: Client) -> None:
    product_id = with_photos()

    upload = editor.post(f"{URL}{product_id}/photographs/start/", {"type": "image/jpeg", "size": "1000"}).json()
    sent = urllib3.request("POST", upload["url"], fields=upload["fields"] | {"file": ("mug.jpg", SMALL)})
    answer = editor.post(f"{URL}{product_id}/photographs/finish/", {"key": upload["key"]}, headers=HTMX)

    assert sent.status == 204
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<section class="sheet" id="photographs" data-status="Photographs: 1">')
    assert shown_in(answer.text) == list_of(product_id) == [(photos.finish_upload(key=upload["key"]), "")]


def test_adding_one_again_changes_nothing(editor: Client, now: datetime) -> None:
    product_id, key = with_photos(), put_upload(SMALL, now)
    editor.post(f"{URL}{product_id}/photographs/finish/", {"key": key, "alt": "A mug"})
    before = items_of("Products")

    for again in (key, put_upload(SMALL, now)):
        assert editor.post(f"{URL}{product_id}/photographs/finish/", {"key": again, "alt": "Other words"}).status_code == 303

    assert items_of("Products") == before


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "Choose a photograph first."),
        ({"type": "image/jpeg", "size": "large"}, "Choose a photograph first."),
        ({"type": "image/svg+xml", "size": "1000"}, "This is no photograph we can take: send a JPEG, PNG or WebP file."),
        ({"type": "image/png", "size": "15728641"}, "This file is too large: 15 MB at most."),
        ({"type": "image/png", "size": "0"}, "This file is no JPEG, PNG or WebP picture, whatever it is called."),
    ],
)
def test_no_form_is_given_for_what_cannot_be_taken(editor: Client, asked: dict[str, str], words: str) -> None:
    answer = editor.post(f"{URL}{with_photos()}/photographs/start/", asked)
    assert (answer.status_code, answer.json()) == (422, {"problem": words})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (corpus.SVG, "This file is no JPEG, PNG or WebP picture, whatever it is called."),
        (SMALL[:-200], "This picture is damaged or incomplete. Try to save it anew and send it again."),
        (corpus.png(12_001, 1), "This picture has too many pixels: 40 megapixels at most for its kind."),
        (bytes(photos.MAX_BYTES + 1), "This file is too large: 15 MB at most."),
        (None, "The photograph did not arrive. Please send it again."),
    ],
    ids=["an SVG", "damaged", "too many pixels", "too large", "never sent"],
)
@pytest.mark.parametrize("script", [True, False])
def test_what_cannot_be_taken_is_said_and_nothing_is_kept(
    editor: Client, now: datetime, content: bytes | None, words: str, script: bool
) -> None:
    product_id = with_photos("products/first")
    key = "uploads/upl-00000000000000000" if content is None else put_upload(content, now)
    before = items_of("Products")

    answer = editor.post(f"{URL}{product_id}/photographs/finish/", {"key": key}, headers=HTMX if script else {}, follow=True)

    if script:
        assert (answer.status_code, answer.json()) == (422, {"problem": words})
    else:
        assert answer.redirect_chain == [(f"{URL}{product_id}/#photographs", 303)]
        assert words in words_of(answer.text)
    assert items_of("Products") == before
    assert stored_keys() == []


def test_a_product_has_so_many_photographs_and_no_more(editor: Client, now: datetime) -> None:
    last = with_photos(*(f"products/{number}" for number in range(MOST_PHOTOS - 1)))
    assert editor.post(f"{URL}{last}/photographs/finish/", {"key": put_upload(SMALL, now)}).status_code == 303
    assert len(list_of(last)) == 24
    before = items_of("Products")

    one_more = put_upload(corpus.as_bytes(corpus.picture(50, 40)), now)
    refused = editor.post(f"{URL}{last}/photographs/finish/", {"key": one_more}, headers=HTMX)

    assert (refused.status_code, refused.json()) == (422, {"problem": "A product has 24 photographs at most. Remove one first."})
    assert items_of("Products") == before


def test_one_added_at_the_very_moment_somebody_changes_the_list_is_to_be_added_again(editor: Client, now: datetime) -> None:
    product_id, key = with_photos("products/first"), put_upload(SMALL, now)

    with run_before("TransactWriteItems", partial(add_somebody_elses, product_id, now)):
        refused = editor.post(f"{URL}{product_id}/photographs/finish/", {"key": key}, headers=HTMX)

    problem = "Somebody changed the photographs at this moment. Please add it again."
    assert (refused.status_code, refused.json()) == (422, {"problem": problem})
    assert list_of(product_id) == [("products/first", ""), ("products/theirs", "")]
    editor.post(f"{URL}{product_id}/photographs/finish/", {"key": key})
    assert [shown for shown, _ in list_of(product_id)] == ["products/first", "products/theirs", photos.finish_upload(key=key)]


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "cn-north-1"])
def test_the_pages_allow_the_address_that_forms_are_signed_for(
    editor: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    product_id = with_photos()
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    settings.AWS_ENDPOINT_URL, settings.AWS_REGION = "", region
    storage.bucket.cache_clear()
    try:
        upload = photos.start_upload(content_type="image/jpeg", size=1, now=factories.product().created_at)
        policies = [
            editor.get(address).headers["Content-Security-Policy"]
            for address in (f"{URL}{product_id}/", f"{URL}{product_id}/photographs/add/")
        ]
    finally:
        storage.bucket.cache_clear()

    origin = f"https://shop-media.s3.{region}.amazonaws.com{'.cn' if region == 'cn-north-1' else ''}"
    assert upload.url == f"{origin}/"
    for policy in policies:
        rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
        assert origin in rules["connect-src"].split()
        assert origin in rules["form-action"].split()


# --- Order, words, removing -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("do", "after"),
    [
        ("up:1", "bac"),
        ("up:0", "abc"),
        ("down:1", "acb"),
        ("down:2", "abc"),
        ("remove:1", "ac"),
        ("remove:3", "abc"),
        ("texts", "abc"),
    ],
)
@pytest.mark.parametrize("script", [True, False])
def test_a_button_moves_one_or_takes_it_away_and_keeps_the_words(editor: Client, do: str, after: str, script: bool) -> None:
    product_id = with_photos("a", "b", "c")
    typed = {"a": "Front", "b": "Side &\x00 back", "c": ""}
    kept = {"a": "Front", "b": "Side &  back", "c": ""}

    answer = change(editor, product_id, do, *typed.items(), headers=HTMX if script else {})

    if script:
        assert [(key, unescape(text)) for key, text in shown_in(answer.text)] == [(key, kept[key]) for key in after]
    else:
        assert (answer.status_code, answer["Location"]) == (303, f"{URL}{product_id}/#photographs")
    assert list_of(product_id) == [(key, kept[key]) for key in after]
    [entry] = entries_about(CatalogAuditRow, product_pk(product_id)).items
    words = {"a": "a (Front)", "b": "b (Side &  back)", "c": "c"}
    assert (entry.actor_name, entry.action) == ("Ada Lovelace", "photographs changed")
    assert entry.changes == (Change("photographs", "a; b; c", "; ".join(words[key] for key in after)),)


def test_words_taken_back_are_gone(editor: Client) -> None:
    product_id = with_photos("a")
    change(editor, product_id, "texts", ("a", "Front"))
    change(editor, product_id, "texts", ("a", " "))
    assert list_of(product_id) == [("a", "")]
    assert not [item for item in items_of("Products") if "imageTexts" in item]


def test_a_button_that_changes_nothing_writes_nothing(editor: Client) -> None:
    product_id = with_photos("a", "b")
    before = items_of("Products")
    assert change(editor, product_id, "up:0", ("a", ""), ("b", "")).status_code == 303
    assert items_of("Products") == before


@pytest.mark.parametrize("script", [True, False])
def test_a_button_on_an_old_page_changes_nothing_and_shows_how_they_are(editor: Client, now: datetime, script: bool) -> None:
    product_id = with_photos("a", "b")
    add_somebody_elses(product_id, now)
    before = items_of("Products")

    answer = change(editor, product_id, "remove:0", ("a", ""), ("b", ""), headers=HTMX if script else {}, follow=True)

    assert MOVED in words_of(answer.text)
    assert shown_in(answer.text) == [("a", ""), ("b", ""), ("products/theirs", "")]
    assert items_of("Products") == before


def test_a_button_pressed_while_somebody_else_changes_them_loses_nothing(editor: Client, now: datetime) -> None:
    product_id = with_photos("a", "b")

    with run_before("TransactWriteItems", partial(add_somebody_elses, product_id, now)):
        answer = change(editor, product_id, "remove:0", ("a", ""), ("b", ""), headers=HTMX)

    assert MOVED in words_of(answer.text)
    assert list_of(product_id) == [("a", ""), ("b", ""), ("products/theirs", "")]
    [entry] = entries_about(CatalogAuditRow, product_pk(product_id)).items
    assert entry.changes[0].after == "a; b; theirs"


@pytest.mark.parametrize(
    "form",
    [
        {"key": ["a"], "alt": [""]},
        {"do": "sell", "key": ["a"], "alt": [""]},
        {"do": "up:x", "key": ["a"], "alt": [""]},
        {"do": "remove:0", "key": ["a"], "alt": []},
    ],
    ids=json.dumps,
)
def test_what_no_page_of_ours_sends_is_refused(editor: Client, form: dict[str, Any]) -> None:
    product_id = with_photos("a")
    before = items_of("Products")
    assert editor.post(f"{URL}{product_id}/photographs/", form).status_code == 400
    assert items_of("Products") == before


def test_a_product_that_is_no_more_takes_no_photographs(editor: Client, now: datetime) -> None:
    key = put_upload(SMALL, now)
    here = f"{URL}prod-none/photographs/"
    before = items_of("Products")

    assert editor.get(f"{here}add/").status_code == 404
    assert editor.post(f"{here}finish/", {"key": key}).status_code == 404
    assert change(editor, "prod-none", "texts", ("a", "")).status_code == 404
    assert items_of("Products") == before
    assert stored_keys() == [key]

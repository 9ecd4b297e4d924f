"""Three hundred hostile texts in every text a person can write: a browser sees the page that harmless words make."""

import csv
import io
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

import boto3
import pytest
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Browser
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from accounts import address_book, sessions
from accounts import mails as account_mails
from accounts import queries as people
from accounts.domain import Role, SavedAddress
from catalog import importing, menu, review_queries, searched, stock
from catalog import mails as catalog_mails
from catalog import queries as catalog
from catalog import services as catalog_services
from catalog.domain import Category, StockReason
from catalog.editing import change_photos, save_product
from catalog.editing_domain import draft_of
from catalog.review_domain import ReviewStatus, Words
from catalog.shared import forget_pages
from catalog.staff_models import SHORT_PK, ShortRow
from catalog.staff_queries import StoredPhoto
from catalog.transfer_domain import plain, safe
from orders import desk, issuing, ledger_queries, mails, queries, ranking, reviewing, services
from orders.documents import invoice_pdf
from orders.domain import Address, CheckoutDetails, Order
from orders.ledger_domain import Finding, FindingKind, InvoiceLine
from orders.noting import note_finding
from shop.lib.guests import new_guest
from shop.lib.money import Money
from shop.lib.owner import Owner
from shop.lib.spreadsheets import text_cell
from shop.lib.viewer import Viewer
from shop.local.fake_stripe import FakeStripe
from tests import factories, hostile
from tests.accounts.people import make_user
from tests.conftest import TABLES
from tests.hostile import PAYLOADS, WORD, Parse
from tests.orders.paid import ask
from tests.orders.test_documents import INVOICE

pytestmark = pytest.mark.browser

MADE = {
    # Numbers, keys and references that the shop makes, and words from lists of its own.
    *(
        "about",
        "action",
        "actorId",
        "answer",
        "availability",
        "cardBrand",
        "cardLast4",
        "cartId",
        "changeId",
        "code",
        "columns",
        "counts",
    ),
    *("country", "creditNote", "currency", "current", "cursor", "customers", "delimiter", "delivery", "deliveryMethod"),
    *("discountCode", "factor", "field", "file", "fingerprint", "holder", "id", "image", "images", "imageUrl", "invoiceNumber"),
    *(
        "kind",
        "last4",
        "method",
        "movementId",
        "number",
        "onward",
        "orderId",
        "owner",
        "parts",
        "passwordHash",
        "paymentIntentId",
    ),
    *("paymentMethod", "permissions", "previous", "productId", "reason", "recovery", "refundKey", "restoredOrders", "reviewId"),
    *("role", "secret", "sessionId", "sessionUrl", "source", "status", "stripeCustomerId", "stripeId", "subject"),
    *("transactionId", "type", "until", "upload", "userId", "writtenBy", "decidedBy", "actor"),
    # Of a shape that forms hold them to, and that keys and addresses of pages are made of.
    *("email", "newEmail", "to", "origin", "family", "slug"),
    # Which list a filter is about and what it asks of it, encoded as an address; whose order it is; a day's best as JSON.
    *("filterId", "list", "query", "orderOwner", "best"),
    # What Stripe and the shop itself say.
    *("failure", "label", "problem"),
    "seller",
}
"""Texts that nobody writes freely. A new text attribute belongs here or into the scene below."""


@pytest.fixture(scope="module")
def parse(chromium: Browser) -> Parse:
    """What a browser makes of markup, without running it."""
    context = chromium.new_context(java_script_enabled=True)
    page = context.new_page()
    return lambda markup: page.evaluate(hostile.SEEN_BY_A_BROWSER, markup)


def test_every_payload_is_its_own() -> None:
    assert len(set(PAYLOADS)) == len(PAYLOADS) == 300


@pytest.mark.parametrize("cell", [text_cell, safe], ids=["orders", "products"])
def test_no_cell_is_a_formula(cell: Callable[[str], str]) -> None:
    for payload in PAYLOADS:
        assert not cell(payload).startswith(("=", "+", "-", "@", "\t", "\r"))
        assert plain(safe(payload)) == payload


class Scene:
    """A shop in which WORD stands in every text."""

    def __init__(self, guest: Owner, viewer: Viewer, stripe: FakeStripe, now: datetime, bucket: Any) -> None:
        self.guest, self.now, self.stripe = guest, now, stripe
        self.actor = Viewer(viewer.user_id, WORD, "", "admin", viewer.permissions)
        self._products()
        self._person(viewer)
        self._orders()
        note_finding(Finding(FindingKind.STOCK, self.mug, now, WORD))
        key = "uploads/csv-00000000000000000"
        bucket.put_object(Bucket="shop-media", Key=key, Body=f"sku,{WORD}\n{WORD},{WORD}\n".encode())
        self.transfer = importing.begin_import(key=key, actor=self.actor, now=now)
        importing.check_import(transfer_id=self.transfer, columns={"0": "sku", "1": "category"}, actor=self.actor)
        importing.go_on(transfer_id=self.transfer, now=now)
        searched.note_search(address=f"http://testserver/products/?q={WORD}", list_path="/products/", now=now)

    def _products(self) -> None:
        catalog_services.save_category(category=Category(name=f"{WORD} shelf", slug="shelf", intro=WORD), position=0)
        texts: Any = {"brand": WORD, "category": f"{WORD} shelf", "sub_category": WORD, "description": WORD, "tax_class": WORD}
        self.mug, self.lamp = (
            factories.make_product(
                name=f"{WORD} {slug}",
                slug=slug,
                sku=f"{WORD}-{slug}",
                attributes={WORD: WORD},
                options={WORD: f"{WORD} {slug}"},
                family="set",
                inventory=3,
                **texts,
            ).product_id
            for slug in ("mug", "lamp")
        )
        found = catalog.product(product_id=self.mug)
        draft = replace(draft_of(found), description=f"{WORD}, as it is now")
        save_product(product_id=self.mug, draft=draft, version=1, actor=self.actor, now=self.now)
        photograph = StoredPhoto("products/" + "0" * 32, WORD)
        change_photos(product_id=self.mug, change=lambda _: [photograph], actor=self.actor, now=self.now)
        reason = StockReason.ADJUSTMENT
        stock.adjust_stock(product_id=self.mug, reason=reason, actor=WORD, now=self.now, change=2, note=WORD, by=self.actor)
        ShortRow(SHORT_PK, f"low#{self.mug}", product_id=self.mug, name=WORD, category=f"{WORD} shelf").save()

    def _person(self, viewer: Viewer) -> None:
        self.user = make_user(self.now, user_id=viewer.user_id, first_name=WORD, last_name=WORD, phone=WORD, role=Role.ADMIN)
        self.shopper = make_user(self.now, email="bob@example.com", first_name=WORD, last_name=WORD)
        fields = dict.fromkeys(("street", "city", "state", "zip_code", "name", "street2"), WORD)
        entry = SavedAddress(address_id="", kind="shipping", country="US", is_default=True, **fields)
        address_book.add_address(user_id=self.user.user_id, entry=entry, now=self.now)
        device = sessions.Device("", WORD, "", "")
        for user in (self.user, self.shopper):
            sessions.start_session(user=user, is_long=True, device=device, now=self.now)

    def _orders(self) -> None:
        address = Address(name=WORD, street=WORD, street2=WORD, city=WORD, state=WORD, zip_code=WORD, country="US")
        details = CheckoutDetails(email="ada@example.com", phone=WORD, address=address, delivery="standard")

        def paid(owner: Owner, lines: dict[str, int]) -> Order:
            placed = services.place_order(**factories.ready_to_order(owner, lines, self.now, details))
            self.stripe.pay(factories.open_payment(placed).payment.session_id)
            return services.settle(session_id=queries.order_by_id(order_id=placed.order_id).payment.session_id, now=self.now)

        checked = paid(new_guest(self.now), {self.lamp: 1})
        self.checked = services.put_into_review(order=checked, actor=WORD, now=self.now, note=WORD).order_id
        order = paid(self.guest, {self.mug: 2, self.lamp: 1})
        words = Words(stars=4, title=WORD, text=WORD, author=WORD)
        for product_id in (self.mug, self.lamp):
            review = reviewing.submit_review(order=order, product_id=product_id, words=words, now=self.now)
            if product_id == self.mug:
                done: dict[str, Any] = {
                    "product_id": product_id,
                    "review_id": review.review_id,
                    "actor": self.actor,
                    "now": self.now,
                }
                catalog_services.approve_review(**done)
        for carrier in ("UPS", WORD):
            pieces = {self.mug: 1}
            parcel: dict[str, Any] = {"carrier": carrier, "tracking_number": WORD, "actor": WORD, "pieces": pieces}
            order = services.ship(order=order, now=self.now, **parcel)
        ask(order, self.now, lines={self.mug: 1}, note=WORD, actor=WORD)
        desk.add_note(order=order, text=WORD, actor=WORD, now=self.now)
        issuing.issue_invoice(order=order, now=self.now)
        self.order = order.order_id
        factories.ready_to_order(self.guest, {self.mug: 1}, self.now, details)
        ranking.rank_sold(now=self.now)

    def pages(self) -> list[str]:
        """Addresses of all the pages about it."""
        order, mug = f"/staff/orders/{self.order}/", f"/staff/products/{self.mug}/"
        key = f"?key={queries.key_of(self.order)}"
        pending, *_ = review_queries.reviews_to_moderate(status=ReviewStatus.PENDING).items
        return [
            *("/", "/products/", "/categories/shelf/", f"/products/?q={WORD}", f"/products/suggestions/?q={WORD}"),
            *("/products/?q=nothing", "/products/suggestions/?q=nothing", "/staff/search/?q=nothing", "/staff/orders/?q=nothing"),
            *(f"/products/{self.mug}/mug/", f"/products/{self.mug}/mug/reviews/", f"/products/recent/?seen={self.mug}"),
            *("/cart/", "/cart/badge/", "/checkout/contact/", "/checkout/address/", "/checkout/delivery/", "/checkout/review/"),
            *(f"/orders/{self.order}/{key}", f"/checkout/{self.order}/confirmation/{key}", f"/orders/{self.order}/cancel/{key}"),
            f"/orders/{self.order}/reviews/{pending.product_id}/{key}",
            *("/accounts/", "/accounts/profile/", "/accounts/addresses/", "/accounts/sessions/", "/orders/"),
            *("/staff/", "/staff/audit/", f"/staff/search/?q={WORD}", f"/staff/search/?q={self.order}"),
            *("/staff/products/", f"/staff/products/?q={WORD}", "/staff/products/?stock=low", mug, f"{mug}delete/"),
            *("/staff/products/new/", f"/staff/products/bulk/?action=archive&id={self.mug}"),
            *(
                "/staff/stock/",
                f"/staff/stock/{self.mug}/",
                "/staff/stock/paste/",
                "/staff/categories/",
                "/staff/categories/shelf/",
            ),
            *("/staff/transfers/", f"/staff/transfers/{self.transfer}/", "/staff/reviews/", "/staff/reviews/?status=approved"),
            *("/staff/orders/", f"/staff/orders/?q={WORD}", order, f"{order}ship/", f"{order}refund/", f"{order}cancel/"),
            *(f"/staff/orders/{self.checked}/", "/staff/reconciliation/", f"/staff/reconciliation/stock/{self.mug}/"),
            *("/staff/customers/", f"/staff/customers/{self.shopper.user_id}/", "/staff/team/", "/staff/discounts/"),
            f"/staff/customers/several/?act=shut-out&id={self.shopper.user_id}",
        ]

    def mails(self) -> list[Callable[[], None]]:
        """What sends each mail about it."""
        order = queries.order_by_id(order_id=self.order)
        refund, *_ = ledger_queries.refunds_of(order_id=self.order)
        product = catalog.product(product_id=self.mug, consistent=True)
        user = people.user(user_id=self.user.user_id)
        return [
            lambda: mails.confirmation(order).send(),
            *(mails.shipped(order, parcel).send for parcel in order.parcels),
            lambda: mails.delivered(order).send(),
            lambda: mails.cancelled(order, back=order.lines[0].unit_price).send(),
            lambda: mails.expired(order).send(),
            lambda: mails.refunded(order, refund, credit_note="CN-1").send(),
            lambda: mails.late(order, refund).send(),
            lambda: mails.link(order).send(),
            lambda: catalog_mails.send_back_in_stock(product, email="ada@example.com"),
            lambda: catalog_mails.send_low_stock(product, to="ada@example.com"),
            lambda: account_mails.send_invitation(user, "secret"),
            lambda: account_mails.send_new_device(user, device=user.first_name, source="", at="now"),
            lambda: account_mails.send_password_changed(user),
        ]


def seen(client: Client, scene: Scene, outbox: list[Any], parse: Parse, word: str) -> dict[str, Any]:
    """What each page, mail and file is, but for its words."""
    cache.clear()
    menu.forget_categories()
    forget_pages()
    found: dict[str, Any] = {}
    for address in scene.pages():
        path, _, query = address.partition(f"q={WORD}")
        answer = client.get(f"{path}q={quote(word)}{query}" if word != WORD and f"q={WORD}" in address else address, follow=True)
        assert answer.status_code == 200, (address, answer.status_code)
        assert word == WORD or hostile.EVALUATED not in answer.text, address
        found[address] = parse(answer.text)
    for send in scene.mails():
        outbox.clear()
        send()
        (mail,) = outbox
        assert "\n" not in mail.subject
        assert mail.message()["Bcc"] is None
        assert hostile.EVALUATED not in mail.body
        found[f"mail {len(found)}"] = parse(mail.alternatives[0].content)
    found["orders.csv"] = cells(b"".join(client.get("/staff/orders/export.csv")))
    return found


def difference(harmless: dict[str, list[Any]], hurt: dict[str, list[Any]], name: str) -> tuple[list[Any], list[Any]]:
    """What a page lacks, and what should not be on it. What is found or refused is in elements some page has anyway."""
    if "q=" in name or name.startswith("/checkout/"):
        known = {element for page in harmless.values() for element in page}
        return [], sorted(one for one in set(hurt[name]) - known if " aria-invalid " not in one)
    wanted, got = Counter(harmless[name]), Counter(hurt[name])
    return list((wanted - got).elements()), list((got - wanted).elements())


def cells(content: bytes) -> list[int]:
    """How many cells each line of a CSV file has; none of them a formula."""
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "@", "\t", "\r"))]
    return [len(line) for line in lines]


def parts(content: bytes) -> set[str]:
    """What kinds of things a PDF has beside its text."""
    reader = PdfReader(io.BytesIO(content))
    objects = [reader.get_object(number) for number in range(1, len(reader.xref[0]) + 1)]
    return {str(name) for one in objects if isinstance(one, DictionaryObject) for name in one}


def test_a_document_has_nothing_but_text() -> None:
    plain_name = "Tide Mug"
    live = {"/JS", "/JavaScript", "/OpenAction", "/AA", "/A", "/URI", "/Launch", "/Annots", "/EmbeddedFile"}
    for start in range(0, len(PAYLOADS), 10):
        some = [payload[:100] for payload in PAYLOADS[start : start + 10]]
        buyer = Address(
            name=some[0], street=some[1], street2=some[2], city=some[3], state=some[4], zip_code=some[5], country="US"
        )
        lines = tuple(InvoiceLine(name, 1, Money(2400, "USD")) for name in (*some[6:], plain_name))
        hurt = invoice_pdf(replace(INVOICE, buyer=buyer, lines=lines, delivery_method=some[6], email=some[7]))
        assert not parts(hurt) & live, some
        assert plain_name in PdfReader(io.BytesIO(hurt)).pages[-1].extract_text()


def test_whatever_was_written_a_browser_sees_the_same_page(
    guest_client: Client,
    guest: Owner,
    sign_in: Callable[..., Viewer],
    stripe: FakeStripe,
    index: Callable[[], None],
    now: datetime,
    mailoutbox: list[Any],
    parse: Parse,
) -> None:
    viewer = sign_in(guest_client, role="admin")
    scene = Scene(guest, viewer, stripe, now, boto3.client("s3"))
    wrong = dict.fromkeys(("email", "phone", "name", "street", "city", "state", "zip_code", "country", "delivery"), WORD)
    for step in ("contact", "address", "delivery"):
        assert guest_client.post(f"/checkout/{step}/", wrong).status_code in (303, 422)
    index()
    guest_client.get(f"/orders/{scene.order}/?key={queries.key_of(scene.order)}")  # says once that the order is the account's now
    harmless = seen(guest_client, scene, mailoutbox, parse, WORD)
    before = WORD
    for after in (" ".join(PAYLOADS), "javascript:alert(1)//", '=1+1" autofocus onfocus=alert(1) x="'):
        met = hostile.write_over(before, after, tables=TABLES)
        if before == WORD:
            assert hostile.text_attributes() - MADE - met == set(), "no scene has a word in these texts"
        index()
        hurt = seen(guest_client, scene, mailoutbox, parse, after)
        assert not {name: found for name in harmless if (found := difference(harmless, hurt, name)) != ([], [])}
        before = after

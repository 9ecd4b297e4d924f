"""What stands on invoices, credit notes and packing slips, as a PDF reader finds it."""

from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from pypdf import PdfReader

from orders.documents import credit_note_pdf, invoice_pdf, packing_slip_pdf
from orders.domain import Address
from orders.ledger_domain import CreditNote, Invoice, InvoiceLine, Refund, RefundReason, RefundState
from shop.lib.money import Money

NOW = datetime(2026, 3, 5, 12, 30, tzinfo=UTC)
BUYER = Address(name="Łukasz Żółć", street="ul. Długa 1", street2="", city="Kraków", state="", zip_code="30-001", country="PL")
INVOICE = Invoice(
    number="INV-000042",
    order_id="ord-1",
    issued_at=NOW,
    ordered_at=NOW,
    paid_at=NOW,
    seller=("Fernhollow", "12 Mill Lane", "VAT GB123456789"),
    buyer=BUYER,
    email="lukasz@example.com",
    lines=(InvoiceLine("Mug", 2, Money(2400, "USD")), InvoiceLine("Tray", 1, Money(1001, "USD"))),
    subtotal=Money(5801, "USD"),
    tax=Money(464, "USD"),
    shipping=Money(999, "USD"),
    total=Money(7264, "USD"),
    delivery_method="Standard delivery",
    payment_method="card",
)


def words_of(pdf: bytes) -> list[str]:
    return [line.strip() for page in PdfReader(BytesIO(pdf)).pages for line in page.extract_text().splitlines()]


def has_row(words: list[str], *row: str) -> bool:
    return any(words[at : at + len(row)] == list(row) for at in range(len(words)))


def test_an_invoice_says_who_what_and_how_much() -> None:
    words = words_of(invoice_pdf(INVOICE))

    assert words[:3] == ["Fernhollow", "12 Mill Lane", "VAT GB123456789"]
    assert has_row(words, "Łukasz Żółć", "ul. Długa 1", "Kraków 30-001", "Poland")
    assert has_row(words, "Invoice number", "INV-000042", "Invoice date", "March 5, 2026", "Order", "ord-1")
    assert has_row(words, "Mug", "2", "$24.00", "$48.00")
    assert has_row(words, "Tray", "1", "$10.01", "$10.01")
    assert has_row(words, "Subtotal", "$58.01", "Standard delivery", "$9.99", "Tax", "$4.64", "Total paid", "$72.64")
    assert words[-1] == "INV-000042 · page 1 of 1"


def test_the_same_invoice_is_the_same_bytes() -> None:
    assert invoice_pdf(INVOICE) == invoice_pdf(INVOICE)


def test_markup_in_names_is_text_and_every_script_has_its_characters() -> None:
    name = "<b>山田 太郎</b> & Ωμέγα Жуков 김철수"
    words = words_of(invoice_pdf(replace(INVOICE, buyer=replace(BUYER, name=name))))

    assert name in words


def test_what_no_font_has_is_a_question_mark() -> None:
    words = words_of(invoice_pdf(replace(INVOICE, buyer=replace(BUYER, name="Ada \U0001f600"))))

    assert "Ada ?" in words


def test_a_long_invoice_goes_on_and_its_total_is_never_alone_on_a_page() -> None:
    for count in range(14, 22):  # somewhere in between, the total alone would fall onto a page of its own
        lines = tuple(InvoiceLine(f"Mug {number}", 1, Money(100, "USD")) for number in range(count))
        pages = PdfReader(BytesIO(invoice_pdf(replace(INVOICE, lines=lines)))).pages
        assert f"Mug {count - 1}" in pages[-1].extract_text()
        assert "Total paid" in pages[-1].extract_text()


def test_a_credit_note_names_the_invoice_it_takes_back() -> None:
    refund = Refund(
        order_id="ord-1",
        key="1",
        amount=Money(2592, "USD"),
        state=RefundState.SUCCEEDED,
        reason=RefundReason.REQUESTED,
        actor="staff",
        asked_at=NOW,
        payment_intent_id="pi_1",
    )
    note = CreditNote("CRN-000007", "INV-000042", NOW, refund, Money(192, "USD"), (InvoiceLine("Mug", 1, Money(2400, "USD")),))
    words = words_of(credit_note_pdf(note, INVOICE))

    assert has_row(words, "Credit note number", "CRN-000007", "Date", "March 5, 2026")
    assert has_row(words, "For invoice", "INV-000042 of March 5, 2026")
    assert has_row(words, "Mug", "1", "$24.00", "$24.00")
    assert has_row(words, "Tax contained", "$1.92", "Total given back", "$25.92")


def test_a_packing_slip_has_no_prices_and_the_pieces_that_are_still_to_leave(guest: object) -> None:
    from orders.domain import Order, OrderLine, OrderStatus, Payment
    from shop.lib.owner import Owner

    money = Money(4800, "USD")
    order = Order(
        order_id="ord-1",
        owner=Owner("guest-1", is_guest=True),
        status=OrderStatus.PROCESSING,
        email="a@example.com",
        phone="",
        lines=(OrderLine("prod-1", "Mug", 2, Money(2400, "USD"), ""),),
        address=BUYER,
        delivery_method="standard",
        subtotal=money,
        tax=money,
        shipping=money,
        total=money,
        payment=Payment(amount=money),
        created_at=NOW,
        updated_at=NOW,
        due_at=None,
    )

    def slip(**line: Any) -> list[str]:
        lines = (replace(order.lines[0], **line),)
        return words_of(
            packing_slip_pdf(
                replace(order, lines=lines), seller=("Fernhollow",), delivery="Standard delivery", skus={"prod-1": "MUG-1"}
            )
        )

    assert has_row(slip(), "Item", "SKU", "Pieces", "Mug", "MUG-1", "2")
    assert has_row(slip(), "Delivery", "Standard delivery")
    assert not any("$" in line for line in slip())
    assert has_row(slip(shipped=1), "Mug", "MUG-1", "1")
    assert has_row(slip(refunded=1, unsent=1), "Mug", "MUG-1", "1")
    assert has_row(slip(shipped=2), "Mug", "MUG-1", "2")

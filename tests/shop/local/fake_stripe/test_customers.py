from __future__ import annotations

import pytest
import stripe

from tests.shop.local.fake_stripe.scene import open_session


def test_a_customer_is_created_changed_listed_and_deleted(client: stripe.StripeClient) -> None:
    made = client.v1.customers.create({"email": "ada@example.com", "name": "Ada", "metadata": {"user": "7", "plan": "gold"}})
    changed = client.v1.customers.update(made.id, {"name": "Ada L", "metadata": {"plan": ""}})
    found = client.v1.customers.list({"email": "ada@example.com"}).data
    gone = client.v1.customers.delete(made.id)

    assert (changed.name, changed.email) == ("Ada L", "ada@example.com")
    assert changed.metadata is not None
    assert changed.metadata.to_dict() == {"user": "7"}
    assert [one.id for one in found] == [made.id]
    assert gone.deleted is True
    assert client.v1.customers.retrieve(made.id).deleted is True
    assert client.v1.customers.list().data == []


def test_a_refused_change_changes_nothing(client: stripe.StripeClient) -> None:
    made = client.v1.customers.create({"name": "Ada"})

    with pytest.raises(stripe.InvalidRequestError):
        client.v1.customers.update(made.id, {"name": "Eve", "metadata": {"k" * 41: "v"}})

    assert client.v1.customers.retrieve(made.id).name == "Ada"


def test_a_card_is_attached_listed_and_detached(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ada"})

    method = client.v1.payment_methods.attach("pm_card_mastercard", {"customer": customer.id})
    listed = client.v1.payment_methods.list({"customer": customer.id, "type": "card"}).data
    client.v1.payment_methods.detach(method.id)

    assert method.card is not None
    assert (method.card.brand, method.card.last4) == ("mastercard", "4444")
    assert [one.id for one in listed] == [method.id]
    assert client.v1.customers.payment_methods.list(customer.id).data == []


def test_a_deleted_customer_cannot_pay(client: stripe.StripeClient) -> None:
    customer = client.v1.customers.create({"name": "Ada"})
    client.v1.customers.delete(customer.id)

    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_session(client, customer=customer.id)

    assert (refused.value.code, refused.value.param) == ("resource_missing", "customer")

"""What tests of staff's product pages stand on."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests import factories


@pytest.fixture
def editor(tables: Any, client: Client, sign_in: Callable[..., Any]) -> Client:
    """Somebody who may edit products, and a category to put them into."""
    factories.make_category()
    sign_in(client, "products.view", "products.edit")
    return client

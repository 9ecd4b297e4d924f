"""An account that is gone while its cookie lives on: every personal page signs its browser out, and none breaks."""

import pytest

from tests.shop.test_mass_assignment import addresses

pytestmark = pytest.mark.usefixtures("tables")

PERSONAL = {name: path for name, path in addresses().items() if path.startswith(("/accounts/", "/orders/", "/checkout/"))}

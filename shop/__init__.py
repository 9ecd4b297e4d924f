"""The project package: `shop.lib` is the floor every app stands on, the rest is the roof that puts the apps together."""

DEMO_NAME = "Fernhollow"
"""What the shop is called until SHOP_NAME says otherwise."""

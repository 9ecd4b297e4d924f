"""The project package: `shop.lib` is the floor every app stands on, the rest is the roof that puts the apps together."""

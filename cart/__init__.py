"""What you mean to buy: the Carts table. Doors: services, queries, domain. Imports catalog, accounts and shop.lib."""

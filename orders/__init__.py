"""What you bought: the Orders table. Doors: services, queries, domain. Imports cart, catalog, accounts and shop.lib."""

"""What we sell: the Products table. Doors: services, queries, domain. Imports shop.lib alone."""

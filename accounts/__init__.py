"""Who you are: the Users table. Doors: services, queries, domain. Imports shop.lib alone."""

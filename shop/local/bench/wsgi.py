"""The shop for a WSGI server, with an address that tells what the process has used."""

from shop.entrypoints.web import application as shop
from shop.local.bench.usage import with_usage

application = with_usage(shop)

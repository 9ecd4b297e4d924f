"""The floor for a WSGI server."""

from django.core.wsgi import get_wsgi_application

from shop.local.bench.usage import with_usage

application = with_usage(get_wsgi_application())

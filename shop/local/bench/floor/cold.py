"""The floor of a cold start: a function with Django, apig-wsgi and a client of the tables, which answers a constant."""

import gc

gc.disable()

# E402: what a start costs is measured as the shop starts, whose collector rests while all of this is imported.
import os  # noqa: E402

from apig_wsgi import make_lambda_handler  # noqa: E402
from botocore.loaders import Loader  # noqa: E402
from botocore.session import get_session  # noqa: E402
from django.conf import settings  # noqa: E402
from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import re_path  # noqa: E402
from pynamodb.connection import Connection  # noqa: E402

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], USE_I18N=False)


def answer(request: HttpRequest) -> HttpResponse:
    return HttpResponse("a constant")


urlpatterns = [re_path("", answer)]


class _Connection(Connection):
    """PynamoDB's, over botocore's data as the image has it."""

    session = get_session()
    session.register_component(
        "data_loader", Loader(extra_search_paths=[os.environ["BOTOCORE_DATA"]], include_default_search_paths=False)
    )


from django.core.wsgi import get_wsgi_application  # noqa: E402 - when the settings are known, as above

handler = make_lambda_handler(get_wsgi_application(), binary_support=True)
client = _Connection(region=os.environ["AWS_REGION"], host=os.environ["AWS_ENDPOINT_URL"]).client
gc.freeze()
gc.enable()

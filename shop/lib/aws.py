"""botocore's session: one a process, since making one registers two hundred handlers (10 ms of a cold start)."""

from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.session import get_session
from django.conf import settings


@cache
def session() -> Any:
    """The session behind the tables' client and the credentials of everything that signs for itself."""
    made = get_session()
    if settings.BOTOCORE_DATA:
        # Without the default paths: botocore would look through the folders of all services to learn which there are.
        loader = Loader(extra_search_paths=[settings.BOTOCORE_DATA], include_default_search_paths=False)
        made.register_component("data_loader", loader)
    return made

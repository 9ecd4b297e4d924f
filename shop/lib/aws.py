"""botocore's session: one a process, since making one is a part of every cold start."""

from functools import cache
from typing import Any

from botocore.handlers import BUILTIN_HANDLERS
from botocore.loaders import Loader
from botocore.session import Session
from django.conf import settings


@cache
def session() -> Any:
    """The session behind the tables' client and the credentials of everything that signs for itself."""
    made = Session(include_builtin_handlers=False)
    # Those for one service alone are for services without a client here: they would be a hundred and thirty more.
    for event, handler in (known[:2] for known in BUILTIN_HANDLERS if "." not in known[0]):
        made.register(event, handler)
    if settings.BOTOCORE_DATA:
        # Without the default paths: botocore would look through the folders of all services to learn which there are.
        loader = Loader(extra_search_paths=[settings.BOTOCORE_DATA], include_default_search_paths=False)
        made.register_component("data_loader", loader)
    return made

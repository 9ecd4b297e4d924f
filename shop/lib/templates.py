"""Templates without the indentation people read them by: it is a tenth of a page, and private pages are not compressed."""

import re

from django.template.base import Origin
from django.template.loaders.filesystem import Loader as FilesystemLoader

_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)


class Loader(FilesystemLoader):
    """Django's, but no line of an HTML template begins with blanks. Lines stay lines, so that errors name the right one."""

    def get_contents(self, origin: Origin) -> str:
        """The template's text. Raises TemplateDoesNotExist."""
        contents: str = super().get_contents(origin)
        return _INDENTATION.sub("", contents) if origin.name.endswith(".html") else contents

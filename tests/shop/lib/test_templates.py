"""Pages come without the indentation of their templates, plain texts as they are written."""

from pathlib import Path

import pytest
from django.template import Engine
from django.test import Client


@pytest.mark.usefixtures("tables")
def test_no_line_of_a_page_begins_with_blanks(client: Client) -> None:
    page = client.get("/cart/").text

    assert "<main" in page
    assert [line for line in page.splitlines() if line.startswith((" ", "\t"))] == []


def test_a_plain_text_keeps_its_blanks_and_a_page_its_lines(tmp_path: Path) -> None:
    for name in ("mail.txt", "page.html"):
        (tmp_path / name).write_text("<p>\n  2 ×  {{ name }}\n\n\t</p>\n")
    engine = Engine(dirs=[str(tmp_path)], loaders=["shop.lib.templates.Loader"])

    assert engine.render_to_string("mail.txt", {"name": " Mug"}) == "<p>\n  2 ×   Mug\n\n\t</p>\n"
    assert engine.render_to_string("page.html", {"name": " Mug"}) == "<p>\n2 ×   Mug\n\n</p>\n"

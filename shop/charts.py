"""Charts as SVG pictures. pygal is imported when one is drawn, not when the shop starts."""

import sys
from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse

_ACCENT, _LINE, _MUTED = "#1f4d3a", "#d9d4c9", "#5f5b52"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A picture loads nothing and runs nothing; its own styles are all it has."""


def bars(values: Sequence[float], labels: Sequence[str], *, title: str) -> bytes:
    """A bar for each value, small enough for a card: what it stands for and the numbers are said beside it."""
    from xml.etree import ElementTree as ET

    pygal = _pygal()
    from pygal.style import Style

    style = Style(
        background="transparent",
        plot_background="transparent",
        foreground=_MUTED,
        foreground_strong=_MUTED,
        foreground_subtle=_LINE,
        colors=(_ACCENT,),
        opacity="1",
        font_family="system-ui, sans-serif",
        label_font_size=11,
        major_label_font_size=11,
    )
    chart = pygal.Bar(
        style=style,
        width=240,
        height=72,
        margin=0,
        spacing=0,
        js=(),
        no_prefix=True,
        show_legend=False,
        show_x_labels=False,
        show_y_labels=False,
        show_x_guides=False,
        show_y_guides=False,
        range=(0, max([*values, 1])),
        print_values=False,
    )
    chart.x_labels = list(labels)
    chart.add(title, list(values))
    root = chart.render_tree()
    namespace = "{http://www.w3.org/2000/svg}"
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{namespace}script", "script"):
                parent.remove(child)
    return bytes(ET.tostring(root, encoding="utf-8"))


def _pygal() -> Any:
    import pygal

    # It puts a finder for its plugins into every later import, in a form Python warns of. We use no plugins.
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, pygal.PluginImportFixer)]
    return pygal


def picture(svg: bytes) -> HttpResponse:
    """A chart as an answer, for its viewer to keep some minutes."""
    response = HttpResponse(svg, content_type="image/svg+xml")
    response["Content-Security-Policy"] = _POLICY
    response["Cache-Control"] = "private, max-age=300"
    return response

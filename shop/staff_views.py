"""Staff pages that belong to no single app."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from shop.lib.access import require_staff


@require_safe
@require_staff()
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "staff/home.html")

"""Waiting for a product that is sold out."""

from http import HTTPStatus

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from catalog import queries, services
from catalog.asked import remember_typed, typed_email
from catalog.domain import Product
from catalog.forms import TellMeForm
from shop.lib.clock import utc_now
from shop.lib.http import is_htmx, see_other

_BACK_ALREADY = "It is back already: open its page again and put it into your cart."


@require_http_methods(["GET", "HEAD", "POST"])
def tell_me(request: HttpRequest, product_id: str) -> HttpResponse:
    """Take the address of somebody who waits for a sold-out product. Without htmx a page of its own says what became of it."""
    if request.method != "POST":
        return _told_page(request, product_id)
    form = TellMeForm(request.POST)
    words, problem = "", ""
    if form.is_valid():
        try:
            found = services.ask_to_be_told(product_id=product_id, email=form.cleaned_data["email"], now=utc_now())
            words = _noted_words(form.cleaned_data["email"], found)
        except queries.ProductNotFound:
            raise Http404("no such product") from None
        except services.NotSoldOut:
            words = _BACK_ALREADY
    else:
        problem = str(form.errors["email"][0])
    if is_htmx(request):
        status = HTTPStatus.UNPROCESSABLE_ENTITY if problem else HTTPStatus.OK
        return render(request, "catalog/tell_me.html#answer", {"words": words, "problem": problem}, status=status)
    response = see_other(request.path)
    remember_typed(response, form.data.get("email", ""), path=request.path)
    return response


def _told_page(request: HttpRequest, product_id: str) -> HttpResponse:
    """What became of what was typed: the address again with what is wrong with it, or what was noted."""
    try:
        product = queries.product(product_id=product_id, consistent=True)
    except queries.ProductNotFound:
        raise Http404("no such product") from None
    if not product.is_active:
        raise Http404("not on sale")
    typed = typed_email(request)
    if typed is None and product.can_be_bought:
        return redirect(product.path)
    form = TellMeForm(None if typed is None else {"email": typed})
    context: dict[str, object] = {"product": product, "form": form}
    if product.can_be_bought:
        context["words"] = _BACK_ALREADY
    elif form.is_valid():
        context["words"] = _noted_words(form.cleaned_data["email"], product)
    elif form.errors:
        context["problem"] = form.errors["email"][0]
    return render(request, "catalog/tell_me.html", context)


def _noted_words(email: str, product: Product) -> str:
    return f"We write to {email} once, when {product.name} is back. Nothing else."

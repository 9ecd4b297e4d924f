"""Staff pages of categories: their names, addresses, texts and order in the menu."""

import json
from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog import queries, services, shelving, staff_queries
from catalog.shelving import Shelf
from catalog.staff_forms import LONGEST_NAME, LineField
from shop.lib.access import Permission, confirmed_viewer_of, require_staff, viewer_of
from shop.lib.clock import utc_now
from shop.lib.fields import none_but_line_ends
from shop.lib.http import see_other

_TAKEN = "Another category has this name or this address."
_MOVED_AT_ONCE = 25


class CategoryForm(forms.Form):
    """A category as staff write it."""

    name = LineField(label="Name", most=100)
    slug = forms.SlugField(label="Address", required=False, max_length=LONGEST_NAME, help_text="Empty makes one of the name.")
    image = LineField(
        label="Picture: SKU of a product",
        required=False,
        most=64,
        help_text="That product’s first photograph stands for the category on the first page. Empty leaves it as it is.",
    )
    intro = forms.CharField(
        label="Words on its page",
        required=False,
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        validators=[none_but_line_ends],
    )

    def clean_image(self) -> str:
        """The photograph's key; empty for none chosen."""
        sku = self.cleaned_data["image"]
        if not sku:
            return ""
        product_id = staff_queries.product_of_sku(sku=sku)
        if not product_id:
            raise forms.ValidationError(f"No product has the SKU {sku}.")
        keys = queries.image_keys(product_ids=[product_id]).get(product_id, ())
        if not keys:
            raise forms.ValidationError("That product has no photograph yet.")
        return keys[0]


@require_safe
@require_staff(Permission.PRODUCTS_VIEW)
def categories(request: HttpRequest) -> HttpResponse:
    """The list, and a form for another one."""
    return _list(request, CategoryForm())


@require_POST
@require_staff(Permission.PRODUCTS_EDIT)
def create(request: HttpRequest) -> HttpResponse:
    form = CategoryForm(request.POST)
    if not form.is_valid():
        return _list(request, form)
    try:
        services.create_category(**form.cleaned_data, actor=confirmed_viewer_of(request), now=utc_now())
    except services.CategoryTaken:
        form.add_error("name", _TAKEN)
        return _list(request, form)
    except services.TooManyCategories:
        form.add_error(None, f"The menu holds {shelving.MOST_CATEGORIES} categories at most.")
        return _list(request, form)
    messages.success(request, f"{form.cleaned_data['name']} stands at the end of the menu.")
    return see_other(reverse("catalog_staff:categories"))


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.PRODUCTS_EDIT)
def category(request: HttpRequest, slug: str) -> HttpResponse:
    shelf = _shelf_or_404(slug)
    given = {"name": shelf.name, "slug": shelf.slug, "intro": shelf.intro}
    form = CategoryForm(request.POST or None, initial=given)
    if form.is_valid():
        actor, now = confirmed_viewer_of(request), utc_now()
        try:
            services.change_category(seen=_seen(request, shelf), **form.cleaned_data, actor=actor, now=now)
        except services.CategoryTaken:
            form.add_error("name", _TAKEN)
        except services.CategoryMoved:
            shelf = _shelf_or_404(slug)
            reads = " · ".join(filter(None, (shelf.name, shelf.intro)))
            form.add_error(None, f"Somebody saved it meanwhile. Save again to keep yours. It now reads: {reads}")
        else:
            is_renamed = form.cleaned_data["name"] != shelf.name
            if is_renamed:  # a small one at once; the job brings the others
                services.move_renamed_products(now=now, actor=actor, at_most=_MOVED_AT_ONCE)
            words = " Its products move with it over the next minutes." if is_renamed else ""
            messages.success(request, f"{form.cleaned_data['name']} is saved.{words}")
            return see_other(reverse("catalog_staff:categories"))
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    context = {"form": form, "shelf": shelf, "seen": json.dumps([shelf.name, shelf.intro])}
    return render(request, "staff/catalog/category.html", context, status=status)


@require_POST
@require_staff(Permission.PRODUCTS_EDIT)
def place(request: HttpRequest, slug: str) -> HttpResponse:
    """One place up or down."""
    try:
        services.place_category(slug=slug, up=request.POST.get("to") == "up", actor=confirmed_viewer_of(request), now=utc_now())
    except services.CategoryMoved:
        messages.warning(request, "Somebody changed the menu at this moment. This is how it is now.")
    return see_other(reverse("catalog_staff:categories"))


@require_POST
@require_staff(Permission.PRODUCTS_EDIT)
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        services.remove_category(slug=slug, actor=confirmed_viewer_of(request), now=utc_now())
    except services.CategoryInUse:
        messages.warning(request, "There are products in it. Move them to another category first.")
    except services.CategoryMoved:
        messages.warning(request, "Somebody changed the menu at this moment. This is how it is now.")
    else:
        messages.success(request, "It is out of the menu.")
    return see_other(reverse("catalog_staff:categories"))


def _list(request: HttpRequest, form: CategoryForm) -> HttpResponse:
    context = {"shelves": shelving.shelves(), "form": form, "may_edit": viewer_of(request).may(Permission.PRODUCTS_EDIT)}
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
    return render(request, "staff/catalog/categories.html", context, status=status)


def _shelf_or_404(slug: str) -> Shelf:
    found = next((shelf for shelf in shelving.shelves() if shelf.slug == slug), None)
    if found is None:
        raise Http404("no such category")
    return found


def _seen(request: HttpRequest, now: Shelf) -> Shelf:
    """The category as its writer saw it; as it is, where that was tampered with."""
    try:
        name, intro = json.loads(request.POST.get("seen", ""))
    except (ValueError, TypeError):
        return now
    return Shelf(now.slug, str(name), str(intro), now.position)

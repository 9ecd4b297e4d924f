"""Staff's photographs of a product: sent straight from the browser into the bucket, put in order, described."""

from collections.abc import Callable, Sequence
from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from catalog import photos, queries, services, staff_queries
from catalog.domain import Product
from catalog.staff_forms import PhotosForm, UploadForm
from catalog.staff_queries import StoredPhoto
from shop.lib.access import Permission, confirmed_viewer_of, require_staff
from shop.lib.clock import utc_now
from shop.lib.csp import content_security_policy
from shop.lib.http import is_htmx, see_other

MOST_PHOTOS = 24
_MOVED = "Somebody changed the photographs meanwhile, so nothing was changed. This is how they are now."
_TOO_MANY = f"A product has {MOST_PHOTOS} photographs at most. Remove one first."
_PLAIN_TYPE = "image/jpeg"
"""What a form without a script calls its file; what it is, its bytes tell."""


class TooManyPhotos(Exception):
    """There is no room for another photograph."""


@require_POST
@require_staff(Permission.PRODUCTS_EDIT)
def change(request: HttpRequest, product_id: str) -> HttpResponse:
    """Move one up or down, take one away, or keep the words beside them; whatever the button, the words are kept."""
    form = PhotosForm(request.POST)
    if not form.is_valid() or len(form.keys) != len(form.texts):
        return HttpResponseBadRequest("not a form of this page")
    try:
        services.change_photos(product_id=product_id, change=_change(form), actor=confirmed_viewer_of(request), now=utc_now())
    except queries.ProductNotFound:
        raise Http404("no such product") from None
    except services.PhotosMoved:
        return _photos_answer(request, product_id, problem=_MOVED)
    return _photos_answer(request, product_id)


def _change(form: PhotosForm) -> Callable[[tuple[StoredPhoto, ...]], Sequence[StoredPhoto]]:
    def changed(before: tuple[StoredPhoto, ...]) -> Sequence[StoredPhoto]:
        if [photo.key for photo in before] != form.keys:
            raise services.PhotosMoved
        after = [StoredPhoto(key, text) for key, text in zip(form.keys, form.texts, strict=True)]
        what, place = form.move
        if place >= len(after):
            return after
        if what == "remove":
            del after[place]
        elif what == "up" and place:
            after[place - 1 : place + 1] = reversed(after[place - 1 : place + 1])
        elif what == "down":
            after[place : place + 2] = reversed(after[place : place + 2])
        return after

    return changed


@require_POST
@require_staff(Permission.PRODUCTS_EDIT)
def start(request: HttpRequest, product_id: str) -> HttpResponse:
    """A signed form for one file, for a script that sends it and tells how far it is."""
    form = UploadForm(request.POST)
    if not form.is_valid():
        return _refused("Choose a photograph first.")
    try:
        upload = photos.start_upload(content_type=form.cleaned_data["type"], size=form.cleaned_data["size"], now=utc_now())
    except photos.PhotoRefused as refused:
        return _refused(words_of(refused))
    return JsonResponse({"url": upload.url, "fields": upload.fields, "key": upload.key})


@require_POST
@require_staff(Permission.PRODUCTS_EDIT)
def finish(request: HttpRequest, product_id: str) -> HttpResponse:
    """Take in what the browser has sent, and put it behind the others. Repeating it changes nothing."""
    try:
        _take_in(request, product_id)
    except photos.PhotoRefused as refused:
        return _problem(request, product_id, words_of(refused))
    except TooManyPhotos:
        return _problem(request, product_id, _TOO_MANY)
    except services.PhotosMoved:
        return _problem(request, product_id, "Somebody changed the photographs at this moment. Please add it again.")
    except queries.ProductNotFound:
        raise Http404("no such product") from None
    return _photos_answer(request, product_id)


def _take_in(request: HttpRequest, product_id: str) -> None:
    queries.product(product_id=product_id)
    key = photos.finish_upload(key=request.POST.get("key", ""))
    alt = " ".join(request.POST.get("alt", "").split())[:300]

    def added(before: tuple[StoredPhoto, ...]) -> Sequence[StoredPhoto]:
        if any(photo.key == key for photo in before):
            return before
        if len(before) >= MOST_PHOTOS:
            raise TooManyPhotos
        return [*before, StoredPhoto(key, alt)]

    services.change_photos(product_id=product_id, change=added, actor=confirmed_viewer_of(request), now=utc_now())


@require_safe
@require_staff(Permission.PRODUCTS_EDIT)
def add(request: HttpRequest, product_id: str) -> HttpResponse:
    """The way without a script: a form that goes to the bucket, which sends the browser back here with the key."""
    found = _product_or_404(product_id)
    here = reverse("catalog_staff:add_photo", args=[product_id])
    key = request.GET.get("key", "")
    then = f"{settings.SITE_ORIGIN}{here}"
    upload = None if key else photos.start_upload(content_type=_PLAIN_TYPE, size=1, now=utc_now(), then=then)
    response = render(request, "staff/catalog/photo_add.html", {"product": found, "upload": upload, "key": key})
    response.headers["Content-Security-Policy"] = content_security_policy(upload_origin=photos.upload_origin())
    return response


def words_of(refused: photos.PhotoRefused) -> str:
    """Why a picture is not taken, for who sent it."""
    match refused:
        case photos.UnsupportedType():
            return "This is no photograph we can take: send a JPEG, PNG or WebP file."
        case photos.TooLarge():
            return f"This file is too large: {refused.limit // 1024**2} MB at most."
        case photos.NotAnImage():
            return "This file is no JPEG, PNG or WebP picture, whatever it is called."
        case photos.DamagedImage():
            return "This picture is damaged or incomplete. Try to save it anew and send it again."
        case photos.TooManyPixels():
            return f"This picture has too many pixels: {refused.limit / 1e6:.0f} megapixels at most for its kind."
        case _:
            return "The photograph did not arrive. Please send it again."


def _photos_answer(request: HttpRequest, product_id: str, *, problem: str = "") -> HttpResponse:
    if is_htmx(request):
        found = _product_or_404(product_id)
        context = {"product": found, "photos": staff_queries.stored_photos(found), "may_edit": True, "problem": problem}
        return render(request, "staff/catalog/product.html#photographs", context)
    if problem:
        messages.warning(request, problem)
    return see_other(f"{reverse('catalog_staff:product', args=[product_id])}#photographs")


def _problem(request: HttpRequest, product_id: str, words: str) -> HttpResponse:
    if is_htmx(request):
        return _refused(words)
    messages.error(request, words)
    return see_other(f"{reverse('catalog_staff:product', args=[product_id])}#photographs")


def _refused(words: str) -> HttpResponse:
    return JsonResponse({"problem": words}, status=HTTPStatus.UNPROCESSABLE_ENTITY)


def _product_or_404(product_id: str) -> Product:
    try:
        return queries.product(product_id=product_id, consistent=True)
    except queries.ProductNotFound:
        raise Http404("no such product") from None

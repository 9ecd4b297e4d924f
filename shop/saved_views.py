"""Keeping and forgetting the filters of staff's lists. Each person's own."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_POST

from accounts.saved_filters import MOST_FILTERS, TooManyFilters, drop_filter, save_filter
from shop.lib.access import confirmed_viewer_of, require_staff
from shop.lib.clock import utc_now
from shop.lib.http import see_other
from shop.saved import LISTS, LONGEST_QUERY, FilteredList


class KeepForm(forms.Form):
    """A filter and the name it shall have."""

    name = forms.CharField(max_length=40, error_messages={"required": "Give the filter a name first."})
    query = forms.CharField(max_length=LONGEST_QUERY)


@require_POST
@require_staff()
def keep(request: HttpRequest, listed: str) -> HttpResponse:
    found, user_id = _list_or_404(request, listed), confirmed_viewer_of(request).user_id
    form = KeepForm(request.POST)
    asked = QueryDict(request.POST.get("query", "")[:LONGEST_QUERY])
    query = found.query_of({name: asked.get(name, "") for name in asked})
    if not form.is_valid() or not query:
        problems = form.errors.get("name") or ["There was no filter to keep."]
        messages.warning(request, " ".join(map(str, problems)))
        return see_other(found.url(query))
    name = form.cleaned_data["name"]
    try:
        save_filter(user_id=user_id, listed=listed, name=name, query=query, now=utc_now())
    except TooManyFilters:
        messages.warning(request, f"You keep {MOST_FILTERS} filters already: forget one first.")
    else:
        messages.success(request, f"“{name}” is kept among your filters.")
    return see_other(found.url(query))


@require_POST
@require_staff()
def forget(request: HttpRequest, listed: str, filter_id: str) -> HttpResponse:
    found = _list_or_404(request, listed)
    drop_filter(user_id=confirmed_viewer_of(request).user_id, filter_id=filter_id)
    messages.success(request, "The filter is forgotten.")
    return see_other(found.url(""))


def _list_or_404(request: HttpRequest, listed: str) -> FilteredList:
    """The list, for who may see it."""
    found = LISTS.get(listed)
    if found is None:
        raise Http404("no such list")
    if not confirmed_viewer_of(request).may(found.permission):
        raise PermissionDenied(f"the list needs {found.permission}")
    return found

"""Staff pages about staff: who they are, what they may do, invitations."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import queries, staffing
from accounts.domain import Role, may_edit
from accounts.form_page import posted, too_many
from accounts.forms import add_problem
from accounts.limits import TooManyTries
from accounts.services import EmailTaken
from accounts.staff_forms import InvitationForm, RightsForm
from accounts.staff_views import NOT_ALLOWED, change_status, person_or_404, reset_second_factor
from accounts.wording import PERMISSION_WORDS
from shop.lib.access import Permission, confirmed_viewer_of, require_staff
from shop.lib.clock import utc_now
from shop.lib.cursors import page_urls
from shop.lib.http import see_other

_HAS_ACCOUNT = "There is an account with this address. Find it among the customers and give it rights there."


@require_safe
@require_staff(Permission.STAFF_MANAGE)
def team(request: HttpRequest) -> HttpResponse:
    page = queries.people(role=Role.STAFF, cursor=request.GET.get("cursor", ""))
    context = {"found": page.items, **page_urls(page, reverse("accounts_staff:team"))}
    return render(request, "staff/accounts/team.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.STAFF_MANAGE)
def invite(request: HttpRequest) -> HttpResponse:
    editor = confirmed_viewer_of(request)
    form = InvitationForm(posted(request), editor=editor)
    if request.method == "POST" and form.is_valid():
        try:
            user = staffing.invite(editor=editor, now=utc_now(), **form.cleaned_data)
        except EmailTaken:
            add_problem(form, "email", _HAS_ACCOUNT)
        else:
            messages.success(request, f"{user.name} is invited: a link is on its way to {user.email}. It works for seven days.")
            return see_other(reverse("accounts_staff:member", args=[user.user_id]))
    return render(request, "staff/accounts/invite.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.STAFF_MANAGE)
@person_or_404
def member(request: HttpRequest, user_id: str) -> HttpResponse:
    user, editor = queries.user(user_id=user_id), confirmed_viewer_of(request)
    form = RightsForm(posted(request), editor=editor, user=user)
    if request.method == "POST" and form.is_valid():
        try:
            staffing.change_rights(editor=editor, user_id=user_id, now=utc_now(), **form.cleaned_data)
        except staffing.NotAllowed:
            add_problem(form, None, NOT_ALLOWED)
        else:
            messages.success(request, f"Saved. What {user.name} may do is so from their next page on.")
            return see_other(reverse("accounts_staff:member", args=[user_id]))
    context = {
        "user": user,
        "form": form,
        "may_edit": may_edit(editor, user),
        "held": [PERMISSION_WORDS[one] for one in PERMISSION_WORDS if one in user.permissions],
        "entries": queries.entries_about(user_id=user_id).items if editor.may(Permission.AUDIT_VIEW) else None,
    }
    return render(request, "staff/accounts/member.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@require_staff(Permission.STAFF_MANAGE)
@person_or_404
def member_status(request: HttpRequest, user_id: str) -> HttpResponse:
    """Ask whether a member of staff shall be shut out, or let in again, and do it."""
    return change_status(request, queries.user(user_id=user_id), back=reverse("accounts_staff:member", args=[user_id]))


@require_POST
@require_staff(Permission.STAFF_MANAGE)
@person_or_404
def member_second_factor(request: HttpRequest, user_id: str) -> HttpResponse:
    return reset_second_factor(request, queries.user(user_id=user_id), back=reverse("accounts_staff:member", args=[user_id]))


@require_POST
@require_staff(Permission.STAFF_MANAGE)
@person_or_404
def invite_again(request: HttpRequest, user_id: str) -> HttpResponse:
    user = queries.user(user_id=user_id)
    try:
        staffing.invite_again(editor=confirmed_viewer_of(request), user_id=user_id, now=utc_now())
    except staffing.InvitationAccepted:
        messages.warning(request, f"{user.name} has signed in already; who forgot the password sets a new one at the login.")
    except staffing.NotAllowed:
        messages.error(request, NOT_ALLOWED)
    except TooManyTries as refusal:
        messages.warning(request, too_many(refusal))
    else:
        messages.success(request, f"The invitation is on its way to {user.email} once more.")
    return see_other(reverse("accounts_staff:member", args=[user_id]))

"""Addresses of the staff pages about people, mounted at `/staff/`."""

from django.urls import path

from shop.lib.addresses import views_of

staff_views = views_of("accounts.staff_views")
team_views = views_of("accounts.team_views")

urlpatterns = [
    path("customers/", staff_views.customers, name="customers"),
    path("customers/<id:user_id>/status/", staff_views.status, name="customer_status"),
    path("customers/<id:user_id>/notes/", staff_views.note, name="note"),
    path("customers/<id:user_id>/sign-out/", staff_views.sign_out, name="sign_out"),
    path("customers/<id:user_id>/reset/", staff_views.reset, name="reset"),
    path("customers/<id:user_id>/second-factor/", staff_views.second_factor, name="second_factor"),
    path("team/", team_views.team, name="team"),
    path("team/invite/", team_views.invite, name="invite"),
    path("team/<id:user_id>/", team_views.member, name="member"),
    path("team/<id:user_id>/status/", team_views.member_status, name="member_status"),
    path("team/<id:user_id>/second-factor/", team_views.member_second_factor, name="member_second_factor"),
    path("team/<id:user_id>/invitation/", team_views.invite_again, name="invite_again"),
]

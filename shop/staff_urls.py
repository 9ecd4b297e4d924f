"""Addresses of the staff pages that belong to no single app, mounted at `/staff/`."""

from django.urls import path

from shop.lib.addresses import views_of

audit_views = views_of("shop.audit_views")
doctor_views = views_of("shop.doctor_views")
mails_views = views_of("shop.mails_views")
saved_views = views_of("shop.saved_views")
search_views = views_of("shop.search_views")
staff_views = views_of("shop.staff_views")

urlpatterns = [
    path("", staff_views.home, name="home"),
    path("charts/<slug:figure>.svg", staff_views.chart, name="chart"),
    path("filters/<slug:listed>/", saved_views.keep, name="keep_filter"),
    path("filters/<slug:listed>/<id:filter_id>/", saved_views.forget, name="forget_filter"),
    path("health/", staff_views.health, name="health"),
    path("audit/", audit_views.trail, name="audit"),
    path("doctor/", doctor_views.examine, name="doctor"),
    path("doctor/mail/", doctor_views.send_mail, name="doctor_mail"),
    path("mails/", mails_views.mails, name="mails"),
    path("search/", search_views.search, name="search"),
]

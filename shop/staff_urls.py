"""Addresses of the staff pages that belong to no single app, mounted at `/staff/`."""

from django.urls import path

from shop import staff_views

app_name = "staff"
urlpatterns = [
    path("", staff_views.home, name="home"),
    path("charts/<slug:figure>.svg", staff_views.chart, name="chart"),
]

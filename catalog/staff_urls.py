"""Addresses of the catalogue's staff pages, mounted at `/staff/`."""

from django.urls import path

from catalog import review_staff_views

app_name = "catalog_staff"
urlpatterns = [
    path("reviews/", review_staff_views.reviews, name="reviews"),
    path("reviews/<id:product_id>/<id:review_id>/", review_staff_views.decide, name="decide_review"),
]

"""Addresses of the catalogue, mounted at the root."""

from django.urls import path

from catalog import views

app_name = "catalog"
urlpatterns = [
    path("", views.home, name="home"),
    path("products/", views.product_list, name="list"),
    path("categories/<slug:slug>/", views.category, name="category"),
    path("products/<slug:product_id>/<slug:slug>/", views.product, name="product"),
]

"""Addresses under /cart/."""

from django.urls import path

from shop.lib.addresses import views_of

views = views_of("cart.views")

urlpatterns = [
    path("", views.show, name="cart"),
    path("badge/", views.badge, name="badge"),
    path("add/", views.add, name="add"),
    path("update/", views.update, name="update"),
    path("remove/", views.remove, name="remove"),
    path("code/", views.enter_code, name="code"),
    path("code/remove/", views.remove_code, name="remove-code"),
]

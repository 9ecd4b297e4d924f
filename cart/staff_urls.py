"""Addresses of the staff pages of discount codes, delivery and tax, mounted at `/staff/`."""

from django.urls import path

from shop.lib.addresses import views_of

staff_views = views_of("cart.staff_views")
tariff_staff_views = views_of("cart.tariff_staff_views")

urlpatterns = [
    path("discounts/", staff_views.discounts, name="discounts"),
    path("discounts/new/", staff_views.new_discount, name="new_discount"),
    path("discounts/<id:code>/", staff_views.discount, name="discount"),
    path("discounts/<id:code>/switch/", staff_views.switch, name="switch_discount"),
    path("discounts/<id:code>/delete/", staff_views.delete, name="delete_discount"),
    path("delivery-and-tax/", tariff_staff_views.tables, name="tariffs"),
]

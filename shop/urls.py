"""Where each address leads."""

from django.conf import settings
from django.urls import include, path, register_converter

from shop import views
from shop.lib.addresses import below, views_of
from shop.lib.paths import IdConverter

register_converter(IdConverter, "id")
page_views = views_of("shop.page_views")

urlpatterns = [
    below("", "catalog.urls", namespace="catalog"),
    below("accounts/", "accounts.urls", namespace="accounts"),
    below("api/v1/", "shop.api_urls", namespace="api"),
    below("cart/", "cart.urls", namespace="cart"),
    below("", "orders.urls", namespace="orders"),
    below("staff/", "shop.staff_urls", namespace="staff"),
    below("staff/", "catalog.staff_urls", namespace="catalog_staff"),
    below("staff/", "cart.staff_urls", namespace="cart_staff"),
    below("staff/", "orders.staff_urls", namespace="orders_staff"),
    below("staff/", "accounts.staff_urls", namespace="accounts_staff"),
    path("terms/", page_views.terms, name="terms"),
    path("privacy/", page_views.privacy, name="privacy"),
    path("delivery-and-returns/", page_views.delivery_and_returns, name="delivery_and_returns"),
    path("contact/", page_views.contact, name="contact"),
    path("healthz", views.healthz, name="healthz"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("robots.txt", views.robots, name="robots"),
]
if settings.LOCAL:
    urlpatterns += [path("_local/", include("shop.local.urls"))]

handler400 = "shop.views.bad_request"
handler403 = "shop.views.forbidden"
handler404 = "shop.views.not_found"
handler500 = "shop.views.server_error"

"""Where each address leads."""

from django.conf import settings
from django.urls import include, path, register_converter

from shop import views
from shop.lib.paths import IdConverter

register_converter(IdConverter, "id")

urlpatterns = [
    path("", include("catalog.urls")),
    path("accounts/", include("accounts.urls")),
    path("api/v1/", include("shop.api_urls")),
    path("cart/", include("cart.urls")),
    path("", include("orders.urls")),
    path("staff/", include("shop.staff_urls")),
    path("staff/", include("catalog.staff_urls")),
    path("staff/", include("cart.staff_urls")),
    path("staff/", include("orders.staff_urls")),
    path("staff/", include("accounts.staff_urls")),
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

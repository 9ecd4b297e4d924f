"""Addresses of the catalogue, mounted at the root."""

from django.urls import path

from shop.lib.addresses import views_of

product_views = views_of("catalog.product_views")
sitemaps = views_of("catalog.sitemaps")
views = views_of("catalog.views")
waiting_views = views_of("catalog.waiting_views")

urlpatterns = [
    path("", views.home, name="home"),
    path("products/", views.product_list, name="list"),
    path("products/recent/", views.recent, name="recent"),
    path("products/recent/forget/", views.forget_recent, name="forget_recent"),
    path("products/suggestions/", views.suggestions, name="suggestions"),
    path("sitemap.xml", sitemaps.index, name="sitemap"),
    path("sitemap-shelves.xml", sitemaps.shelves, name="sitemap_shelves"),
    path("sitemap-products-<int:number>.xml", sitemaps.products, name="sitemap_products"),
    path("categories/<id:slug>/", views.category, name="category"),
    path("products/<id:product_id>/tell-me/", waiting_views.tell_me, name="tell_me"),
    path("products/<id:product_id>/<slug:slug>/", product_views.product, name="product"),
    path("products/<id:product_id>/<slug:slug>/reviews/", product_views.reviews, name="reviews"),
]

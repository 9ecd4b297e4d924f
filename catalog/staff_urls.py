"""Addresses of the catalogue's staff pages, mounted at `/staff/`."""

from django.urls import path

from shop.lib.addresses import views_of

category_staff_views = views_of("catalog.category_staff_views")
photo_staff_views = views_of("catalog.photo_staff_views")
product_staff_views = views_of("catalog.product_staff_views")
review_staff_views = views_of("catalog.review_staff_views")
stock_staff_views = views_of("catalog.stock_staff_views")
transfer_staff_views = views_of("catalog.transfer_staff_views")

urlpatterns = [
    path("stock/", stock_staff_views.stock, name="stock"),
    path("stock/change/", stock_staff_views.change, name="change_stock"),
    path("stock/paste/", stock_staff_views.paste, name="paste_stock"),
    path("stock/<id:product_id>/", stock_staff_views.movements, name="movements"),
    path("categories/", category_staff_views.categories, name="categories"),
    path("new-category/", category_staff_views.create, name="create_category"),
    path("categories/<slug:slug>/", category_staff_views.category, name="category"),
    path("categories/<slug:slug>/place/", category_staff_views.place, name="place_category"),
    path("categories/<slug:slug>/remove/", category_staff_views.remove, name="remove_category"),
    path("products/", product_staff_views.products, name="products"),
    path("products/new/", product_staff_views.new, name="new_product"),
    path("products/bulk/", product_staff_views.bulk, name="bulk_products"),
    path("transfers/", transfer_staff_views.transfers, name="transfers"),
    path("transfers/template.csv", transfer_staff_views.template, name="import_template"),
    path("transfers/begin/", transfer_staff_views.begin, name="begin_import"),
    path("transfers/export/", transfer_staff_views.export, name="export_products"),
    path("transfers/<id:transfer_id>/", transfer_staff_views.transfer, name="transfer"),
    path("transfers/<id:transfer_id>/check/", transfer_staff_views.check, name="check_import"),
    path("transfers/<id:transfer_id>/apply/", transfer_staff_views.apply, name="apply_import"),
    path("transfers/<id:transfer_id>/products.csv", transfer_staff_views.fetch, name="fetch_export"),
    path("products/<id:product_id>/", product_staff_views.product, name="product"),
    path("products/<id:product_id>/save/", product_staff_views.save, name="save_product"),
    path("products/<id:product_id>/duplicate/", product_staff_views.duplicate, name="duplicate_product"),
    path("products/<id:product_id>/delete/", product_staff_views.delete, name="delete_product"),
    path("products/<id:product_id>/photographs/", photo_staff_views.change, name="change_photos"),
    path("products/<id:product_id>/photographs/add/", photo_staff_views.add, name="add_photo"),
    path("products/<id:product_id>/photographs/start/", photo_staff_views.start, name="start_photo"),
    path("products/<id:product_id>/photographs/finish/", photo_staff_views.finish, name="finish_photo"),
    path("reviews/", review_staff_views.reviews, name="reviews"),
    path("reviews/<id:product_id>/<id:review_id>/", review_staff_views.decide, name="decide_review"),
]

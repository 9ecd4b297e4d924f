"""Addresses of checkout, payment and orders, mounted at the root."""

from django.urls import path

from shop.lib.addresses import views_of

card_views = views_of("orders.card_views")
checkout_views = views_of("orders.checkout_views")
claim_views = views_of("orders.claim_views")
data_views = views_of("orders.data_views")
document_views = views_of("orders.document_views")
find_views = views_of("orders.find_views")
history_views = views_of("orders.history_views")
order_views = views_of("orders.order_views")
payment_views = views_of("orders.payment_views")
review_views = views_of("orders.review_views")
webhooks = views_of("orders.webhooks")

urlpatterns = [
    path("checkout/", checkout_views.checkout, name="checkout"),
    path("checkout/contact/", checkout_views.contact, name="contact"),
    path("checkout/address/", checkout_views.address, name="address"),
    path("checkout/delivery/", checkout_views.delivery, name="delivery"),
    path("checkout/review/", checkout_views.review, name="review"),
    path("checkout/place/", payment_views.place, name="place"),
    path("checkout/<id:order_id>/pay/", payment_views.pay, name="pay"),
    path("checkout/<id:order_id>/cancel/", payment_views.cancel, name="cancel"),
    path("checkout/<id:order_id>/keep/", payment_views.keep, name="keep"),
    path("checkout/<id:order_id>/return/", payment_views.returned, name="return"),
    path("checkout/<id:order_id>/confirmation/", payment_views.confirmation, name="confirmation"),
    path("orders/", history_views.orders, name="orders"),
    path("orders/find/", find_views.find, name="find"),
    path("orders/find/sent/", find_views.found, name="found"),
    path("orders/<id:order_id>/", order_views.show, name="order"),
    path("orders/<id:order_id>/cancel/", order_views.cancel, name="cancel_paid"),
    path("orders/<id:order_id>/again/", order_views.again, name="again"),
    path("orders/<id:order_id>/invoice.pdf", document_views.invoice, name="invoice"),
    path("orders/<id:order_id>/credit-notes/<id:number>.pdf", document_views.credit_note, name="credit_note"),
    path("orders/<id:order_id>/reviews/<id:product_id>/", review_views.review, name="review_product"),
    path("orders/<id:order_id>/account/", claim_views.open_account, name="open_account"),
    path("accounts/data/", data_views.data, name="data"),
    path("accounts/data/download/", data_views.download, name="download_data"),
    path("accounts/delete/", data_views.delete, name="delete_account"),
    path("accounts/cards/", card_views.cards, name="cards"),
    path("accounts/cards/<id:method_id>/default/", card_views.make_default, name="default_card"),
    path("accounts/cards/<id:method_id>/remove/", card_views.remove, name="remove_card"),
    path("webhooks/stripe/", webhooks.stripe, name="stripe_webhook"),
]

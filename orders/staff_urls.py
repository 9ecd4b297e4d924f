"""Addresses of the orders' staff pages, mounted at `/staff/`."""

from django.urls import path

from shop.lib.addresses import views_of

customer_bulk_views = views_of("orders.customer_bulk_views")
customer_staff_views = views_of("orders.customer_staff_views")
export_views = views_of("orders.export_views")
findings_views = views_of("orders.findings_views")
mail_views = views_of("orders.mail_views")
staff_actions = views_of("orders.staff_actions")
staff_views = views_of("orders.staff_views")

urlpatterns = [
    path("orders/", staff_views.orders, name="orders"),
    path("orders/export.csv", export_views.export, name="export"),
    path("orders/<id:order_id>/", staff_views.order, name="order"),
    path("orders/<id:order_id>/invoice.pdf", staff_views.invoice, name="invoice"),
    path("orders/<id:order_id>/credit-notes/<id:number>.pdf", staff_views.credit_note, name="credit_note"),
    path("orders/<id:order_id>/packing-slip.pdf", staff_views.packing_slip, name="packing_slip"),
    path("orders/<id:order_id>/ship/", staff_actions.ship, name="ship"),
    path("orders/<id:order_id>/deliver/", staff_actions.deliver, name="deliver"),
    path("orders/<id:order_id>/cancel/", staff_actions.cancel, name="cancel"),
    path("orders/<id:order_id>/refund/", staff_actions.refund, name="refund"),
    path("orders/<id:order_id>/review/", staff_actions.end_review, name="end_review"),
    path("orders/<id:order_id>/mails/<id:origin>/", mail_views.preview, name="mail"),
    path("orders/<id:order_id>/mails/<id:origin>/content/", mail_views.content, name="mail_content"),
    path("orders/<id:order_id>/mails/<id:origin>/send/", mail_views.send, name="send_mail"),
    path("orders/<id:order_id>/notes/", staff_actions.note, name="note"),
    path("customers/several/", customer_bulk_views.change, name="change_customers"),
    path("customers/several/erase/", customer_bulk_views.erase, name="erase_customers"),
    path("customers/<id:user_id>/", customer_staff_views.customer, name="customer"),
    path("customers/<id:user_id>/data/", customer_staff_views.data, name="customer_data"),
    path("customers/<id:user_id>/erase/", customer_staff_views.erase, name="erase_customer"),
    path("reconciliation/", findings_views.findings, name="findings"),
    path("reconciliation/<id:kind>/<id:subject>/", findings_views.finding, name="finding"),
]

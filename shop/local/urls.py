"""Under `/_local/`, on a laptop alone."""

from django.urls import path

from shop.local import views

app_name = "local"
urlpatterns = [
    path("mail/", views.mail_list, name="mail_list"),
    path("mail/<slug:mail_id>/", views.mail_detail, name="mail_detail"),
    path("mail/<slug:mail_id>/html/", views.mail_html, name="mail_html"),
    path("media/<path:key>", views.media, name="media"),
]

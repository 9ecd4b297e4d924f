"""Addresses under /accounts/."""

from django.urls import path

from shop.lib.addresses import views_of

cognito_views = views_of("accounts.cognito_views")
profile_views = views_of("accounts.profile_views")
second_factor_views = views_of("accounts.second_factor_views")
security_views = views_of("accounts.security_views")
views = views_of("accounts.views")

urlpatterns = [
    path("", security_views.home, name="home"),
    path("register/", views.register, name="register"),
    path("register/sent/", views.registered, name="registered"),
    path("verify/<str:secret>/", views.verify, name="verify"),
    path("login/", views.login, name="login"),
    path("cognito/", cognito_views.start, name="cognito"),
    path("cognito/return/", cognito_views.back, name="cognito_return"),
    path("logout/", views.logout, name="logout"),
    path("password-reset/", views.password_reset, name="password_reset"),
    path("password-reset/sent/", views.password_reset_sent, name="password_reset_sent"),
    path("password-reset/<str:secret>/", views.reset, name="reset"),
    path("second-factor/", second_factor_views.page, name="second_factor"),
    path("second-factor/off/", second_factor_views.turn_off, name="second_factor_off"),
    path("profile/", profile_views.profile, name="profile"),
    path("addresses/", profile_views.addresses, name="addresses"),
    path("addresses/add/", profile_views.add_address, name="add_address"),
    path("addresses/<id:address_id>/", profile_views.change_address, name="change_address"),
    path("addresses/<id:address_id>/remove/", profile_views.remove_address, name="remove_address"),
    path("addresses/<id:address_id>/default/", profile_views.make_default, name="default_address"),
    path("password/", security_views.change_password, name="change_password"),
    path("email/", security_views.change_email, name="change_email"),
    path("email/old/<str:secret>/", security_views.confirm_old_email, name="email_old"),
    path("email/new/<str:secret>/", security_views.confirm_new_email, name="email_new"),
    path("sessions/", security_views.sessions_page, name="sessions"),
    path("sessions/end/", security_views.end_session, name="end_session"),
    path("sessions/end-others/", security_views.end_other_sessions, name="end_other_sessions"),
]

"""Addresses under /accounts/."""

from django.urls import path

from accounts import second_factor_views, security_views, views

app_name = "accounts"
urlpatterns = [
    path("", security_views.home, name="home"),
    path("register/", views.register, name="register"),
    path("register/sent/", views.registered, name="registered"),
    path("verify/<str:secret>/", views.verify, name="verify"),
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("password-reset/", views.password_reset, name="password_reset"),
    path("password-reset/sent/", views.password_reset_sent, name="password_reset_sent"),
    path("password-reset/<str:secret>/", views.reset, name="reset"),
    path("second-factor/", second_factor_views.page, name="second_factor"),
    path("second-factor/off/", second_factor_views.turn_off, name="second_factor_off"),
    path("password/", security_views.change_password, name="change_password"),
    path("email/", security_views.change_email, name="change_email"),
    path("email/old/<str:secret>/", security_views.confirm_old_email, name="email_old"),
    path("email/new/<str:secret>/", security_views.confirm_new_email, name="email_new"),
    path("sessions/", security_views.sessions_page, name="sessions"),
    path("sessions/end/", security_views.end_session, name="end_session"),
    path("sessions/end-others/", security_views.end_other_sessions, name="end_other_sessions"),
]

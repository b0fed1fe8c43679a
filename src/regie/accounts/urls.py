from django.urls import path

from regie.accounts import views

app_name = "accounts"
urlpatterns = [
    path("accounts/", views.accounts, name="accounts"),
    path("accounts/connect/", views.networks, name="networks"),
    path("accounts/connect/<slug:network>/", views.connect, name="connect"),
    path("accounts/networks/", views.network_apps, name="network_apps"),
    path("accounts/networks/<slug:network>/test/", views.try_network, name="try_network"),
    path("accounts/networks/registrations/<int:pk>/forget/", views.forget_app, name="forget_app"),
    path("accounts/networks/registrations/<int:pk>/permits/", views.permit_app, name="permit_app"),
    path("accounts/networks/<slug:network>/keys/", views.enter_app, name="enter_app"),
    path("accounts/choose/<str:choice>/", views.choose, name="choose"),
    path("accounts/callback/<slug:network>/", views.callback, name="callback"),
    path("accounts/<int:pk>/", views.account, name="account"),
    path("accounts/<int:pk>/picture/", views.avatar, name="avatar"),
    path("accounts/<int:pk>/<slug:verb>/", views.act, name="act"),
    path("oauth/bluesky/client-metadata.json", views.client_metadata, name="bluesky_client"),
]

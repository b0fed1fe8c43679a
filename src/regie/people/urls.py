from django.urls import path

from regie.people import views

app_name = "people"
urlpatterns = [
    path("welcome/", views.welcome, name="welcome"),
    path("join/<str:token>/", views.join, name="join"),
    path("me/", views.me, name="me"),
    path("me/devices/", views.subscribe, name="subscribe"),
    path("me/devices/try/", views.try_push, name="try_push"),
    path("me/devices/<int:pk>/remove/", views.unsubscribe, name="unsubscribe"),
    path("settings/", views.settings, name="settings"),
    path("settings/workspace/", views.change_workspace, name="change_workspace"),
    path("settings/new-client/", views.new_workspace, name="new_workspace"),
    path("settings/invite/", views.invite, name="invite"),
    path("settings/invitations/<int:pk>/withdraw/", views.withdraw, name="withdraw"),
    path("settings/members/<int:pk>/role/", views.change_role, name="change_role"),
    path("settings/members/<int:pk>/remove/", views.remove_member, name="remove_member"),
    path("settings/audit/", views.audit_trail, name="audit"),
]

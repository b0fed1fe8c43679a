from django.urls import path

from regie.community import views

app_name = "community"
urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("inbox/people/<int:pk>/", views.avatar, name="avatar"),
    path("inbox/answers/<int:pk>/<slug:verb>/", views.settle, name="settle"),
    path("inbox/all/<slug:verb>/", views.together, name="together"),
    path("inbox/<int:pk>/<slug:verb>/", views.act, name="act"),
    path("webhooks/<slug:network>/", views.app_webhook, name="app_webhook"),
    path("webhooks/<slug:network>/<str:token>/", views.webhook, name="webhook"),
]

from django.urls import path

from regie.publishing import editing_views, freezes, missed_views, views

app_name = "publishing"
urlpatterns = [
    path("posts/schedule/", views.schedule, name="schedule"),
    path("posts/publish/", views.publish, name="publish"),
    path("freezes/", freezes.freezes, name="freezes"),
    path("freezes/new/", freezes.freeze, name="freeze"),
    path("freezes/<int:pk>/", freezes.resume, name="resume"),
    path("deliveries/missed/", missed_views.missed, name="missed"),
    path("deliveries/missed/<slug:action>/", missed_views.decide, name="decide"),
    path("deliveries/<int:pk>/", views.delivery, name="delivery"),
    path("deliveries/<int:pk>/row/", views.row, name="row"),
    path("deliveries/<int:pk>/live/", views.live, name="live"),
    path("deliveries/<int:pk>/by-hand/", views.by_hand, name="by-hand"),
    path("deliveries/<int:pk>/edit/", editing_views.edit, name="edit"),
    path("deliveries/<int:pk>/edit/<int:part>/", editing_views.edit, name="edit-part"),
    path("deliveries/edits/<int:pk>/<slug:verb>/", editing_views.settle, name="settle-edit"),
    path("deliveries/<int:pk>/back/<str:local_at>/<path:zone>/", views.move_back, name="move-back"),
    path("deliveries/<int:pk>/<slug:action>/", views.act, name="act"),
]

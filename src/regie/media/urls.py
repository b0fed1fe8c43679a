from django.urls import path

from regie.media import links, views

app_name = "media"
urlpatterns = [
    path("media/", views.library, name="library"),
    path("media/upload/", views.upload, name="upload"),
    path("media/upload/begin/", views.begin, name="begin"),
    path("media/upload/<uuid:pk>/", views.piece, name="piece"),
    path("media/upload/<uuid:pk>/finish/", views.finish, name="finish"),
    path("media/remove/", views.remove, name="remove"),
    path("media/restore/", views.restore, name="restore"),
    path("media/for-networks/<str:token>/media.<str:suffix>", links.fetched, name="for_networks"),
    path("media/<int:pk>/", views.file, name="file"),
    path("media/<int:pk>/renditions/", views.renditions, name="renditions"),
    path("media/<int:pk>/renditions/<int:rendition>/again/", views.make_again, name="make_again"),
    path("media/<int:pk>/<str:sha>/played/", views.played, name="played"),
    path("media/<int:pk>/<str:sha>/thumbnail/", views.thumbnail, name="thumbnail"),
    path("media/<int:pk>/<str:sha>/shown/", views.shown, name="shown"),
    path("media/<int:pk>/<str:sha>/original/", views.original, name="original"),
]

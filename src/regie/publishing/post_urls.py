"""A post's own page, under the studio's names: ``studio:post``."""

from django.urls import path

from regie.publishing import views

urlpatterns = [path("posts/<int:pk>/", views.post, name="post")]

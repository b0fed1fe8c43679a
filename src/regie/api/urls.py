from django.urls import path, re_path

from regie.api import views
from regie.api.application import api

app_name = "api"
urlpatterns = [
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke/", views.revoke, name="revoke"),
    path("v1/docs", views.docs, name="docs"),
    path("v1/openapi.json", views.openapi, name="openapi"),
    path("v1/", api.urls),
    re_path(r"^v1/", views.nothing_here, name="nothing"),
]

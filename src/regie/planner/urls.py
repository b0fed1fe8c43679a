from django.urls import path

from regie.planner import views

app_name = "planner"
urlpatterns = [
    path("calendar/", views.calendar, name="calendar"),
    path("calendar/move/", views.move, name="move"),
]

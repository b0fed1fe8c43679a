from django.urls import path

from regie.planner import recurring_views, views

app_name = "planner"
urlpatterns = [
    path("calendar/", views.calendar, name="calendar"),
    path("calendar/move/", views.move, name="move"),
    path("calendar/schedule/", recurring_views.schedule, name="schedule"),
    path("calendar/recurring/", recurring_views.recurrences, name="recurrences"),
    path("calendar/recurring/<int:pk>/", recurring_views.recurrence, name="recurrence"),
    path("calendar/recurring/<int:pk>/change/", recurring_views.change, name="recurrence-change"),
    path("calendar/recurring/<int:pk>/stop/", recurring_views.stop, name="recurrence-stop"),
    path("calendar/recurring/<int:pk>/<str:on>/<slug:action>/", recurring_views.act, name="recurrence-date"),
]

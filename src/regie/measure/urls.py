from django.urls import path

from regie.measure import views

app_name = "measure"
urlpatterns = [
    path("numbers/", views.overview, name="overview"),
    path("numbers/accounts/<int:pk>/", views.account, name="account"),
]

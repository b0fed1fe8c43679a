"""Every address of the product. Signed-in pages also answer below ``/w/<workspace>/``: people/middleware.py."""

from django.urls import include, path

from regie.people.views import set_language, sign_in

urlpatterns = [
    path("i18n/setlang/", set_language, name="set_language"),
    path("account/login/", sign_in, name="account_login"),  # before allauth's own
    path("account/", include("allauth.urls")),
    path("", include("regie.web.urls")),
    path("", include("regie.people.urls")),
    path("", include("regie.accounts.urls")),
    path("", include("regie.media.urls")),
    path("", include("regie.studio.urls")),
    path("", include("regie.publishing.urls")),
    path("", include("regie.measure.urls")),
    path("", include("regie.planner.urls")),
    path("", include("regie.community.urls")),
    path("api/", include("regie.api.urls")),
]

handler400 = "regie.web.errors.bad_request"
handler403 = "regie.web.errors.forbidden"
handler404 = "regie.web.errors.not_found"
handler500 = "regie.web.errors.server_error"

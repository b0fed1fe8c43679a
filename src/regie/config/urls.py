"""Every address of the product. Signed-in pages also answer below ``/w/<workspace>/``: people/middleware.py."""

from django.urls import include, path

urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
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

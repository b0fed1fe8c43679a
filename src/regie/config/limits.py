"""The outermost layer of the web server: what is too big is turned away before anything reads it."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

Handler = Callable[[HttpRequest], HttpResponse]


class SizeMiddleware:
    """413 with a sentence above ``settings.LARGEST_REQUEST`` bytes. Without a length, Django reads no body at all."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > settings.LARGEST_REQUEST:
            most = settings.LARGEST_REQUEST // 1024**2
            with translation.override(translation.get_language_from_request(request)):
                said = _("That is too much at once: %(most)s MB at most. Send fewer or smaller files.") % {"most": most}
            return HttpResponse(said, status=413, content_type="text/plain; charset=utf-8")
        return self.get_response(request)

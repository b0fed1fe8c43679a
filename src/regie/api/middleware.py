"""What the API's library answers by itself, made of the same shape as every other error."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _

ROOT = "/api/v1/"


class WrongMethodMiddleware:
    """An address that knows other methods only says so in JSON, and which in ``Allow``."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or not request.path_info.startswith(ROOT):
            return response
        allowed = response["Allow"]
        said = _("This address does not take %(method)s, only %(allowed)s.") % {
            "method": request.method,
            "allowed": allowed,
        }
        mistake = {"error": "method_not_allowed", "said": said, "details": None}
        return JsonResponse(mistake, status=405, headers={"Allow": allowed})

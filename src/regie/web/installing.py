"""What makes a phone take Régie for an app: its manifest, and the script that shows notices while it is closed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe


@require_safe
def service_worker(request: HttpRequest) -> HttpResponse:
    """At the root, so that it may speak for every page. Browsers ask again for it by themselves, so it is not kept."""
    return HttpResponse(_script(), content_type="text/javascript; charset=utf-8", headers={"Cache-Control": "no-cache"})


@cache
def _script() -> bytes:
    path = finders.find("regie/sw.js")
    assert isinstance(path, str)
    return Path(path).read_bytes()


@require_safe
def manifest(request: HttpRequest) -> JsonResponse:
    """In the language of who asks. The shell's dark ground is the page's own affair: a manifest knows one colour."""
    icons = [
        {"src": static(f"regie/icon-{size}.png"), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
        for size, purpose in ((192, "any"), (512, "any"), (512, "maskable"))
    ]
    return JsonResponse(
        {
            "id": "/",
            "name": "Régie",
            "short_name": "Régie",
            "description": _("The control room of a social media manager."),
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": "#f6f4f0",
            "theme_color": "#0f5f63",
            "icons": icons,
            "shortcuts": [
                {"name": _("New post"), "url": "/posts/new/"},
                {"name": _("Calendar"), "url": "/calendar/"},
                {"name": _("Inbox"), "url": "/inbox/"},
            ],
        },
        content_type="application/manifest+json",
    )

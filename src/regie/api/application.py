"""The API as one thing: who is let in, what there is, how errors read."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI
from ninja.operation import Operation

from regie import __version__
from regie.api import (
    accounts,
    campaigns,
    deliveries,
    edits,
    errors,
    measure,
    media,
    messages,
    posts,
    recurrences,
    workspaces,
)
from regie.api.tokens import Bearer

ROOT = "/api/v1/"


class Api(NinjaAPI):
    def get_openapi_operation_id(self, operation: Operation) -> str:
        """``posts_create``: the subject and the verb."""
        function = operation.view_func
        return f"{function.__module__.rsplit('.', 1)[-1]}_{function.__name__}"


api = Api(
    title="Régie",
    version=__version__,
    description="Plan, publish once and on time, and read the proof. A token acts as one member of one workspace.",
    urls_namespace="api-v1",
    auth=Bearer(),
    openapi_url=None,
    docs_url=None,
)
errors.register(api)
for subject in (workspaces, accounts, media, campaigns, posts, recurrences, deliveries, edits, messages, measure):
    api.add_router("", subject.router)


def schema() -> dict[str, Any]:
    """The OpenAPI description, the same for whoever asks."""
    return dict(api.get_openapi_schema(path_prefix=ROOT))

"""How sign-in behaves here: by invitation only, in the reader's language, secrets sealed, links that lead back."""

from __future__ import annotations

import base64
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation

from regie.core.sealed import sealer
from regie.people.audit import PRODUCT
from regie.people.middleware import without_workspace

CONTEXT = "second_step"


def public(path: str) -> str:
    return str(settings.PUBLIC_URL) + without_workspace(path)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False  # people come by invitation, the owner by the first start

    def format_email_subject(self, subject: str) -> str:
        return f"{PRODUCT}: {' '.join(subject.split())}"

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        return public(reverse("account_confirm_email", args=[emailconfirmation.key]))

    def get_reset_password_from_key_url(self, key: str) -> str:
        uid, _, rest = key.partition("-")
        return public(reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": rest}))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """In the language of the person it goes to; signed by the product, not by a host name."""
        user = context.get("user")
        language = getattr(user, "language", "") or translation.get_language() or "en"
        site = SimpleNamespace(name=PRODUCT, domain=urlsplit(settings.PUBLIC_URL).netloc)
        with translation.override(language):
            super().send_mail(template_prefix, email, {**context, "current_site": site})


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """The secrets behind one-time codes are sealed as the networks' are."""

    def encrypt(self, text: str) -> str:
        return base64.b64encode(sealer().seal(text.encode(), context=CONTEXT)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return sealer().open(base64.b64decode(encrypted_text), context=CONTEXT).decode()

    def seal_again(self, encrypted_text: str) -> str:
        """The same secret under the newest key; as it is when it is there already."""
        if sealer().is_current(base64.b64decode(encrypted_text)):
            return encrypted_text
        return self.encrypt(self.decrypt(encrypted_text))

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": PRODUCT}

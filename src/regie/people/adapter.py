"""How sign-in behaves here: nobody signs up without an invitation, and the shell's languages apply."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False  # people come by invitation, the owner by the first start


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    pass

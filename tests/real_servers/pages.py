"""Walking through the pages of other people's servers, as a person with a browser does."""

import re

from playwright.sync_api import Page

SIGN_IN = re.compile("^(Sign in|Se connecter)$")
AUTHORIZE = re.compile("^(Authorize|Authoriser l.accès)$")
DENY = re.compile("^(Deny access|Refuser l.accès)$")


def consent_on_pds(page: Page, handle: str, password: str, *, allow: bool = True) -> None:
    """From the PDS's first page, sign in and let the app in, or with ``allow=False`` turn it away.

    Starts on ``/oauth/authorize?...``, wherever that leads: a welcome page, the sign-in form with or without the name
    filled in, or straight to consent when this browser is signed in already. Returns when the PDS has sent the browser
    away to the app's redirect address; the caller looks at what came of it there.
    """
    pds = re.compile(re.escape(page.url.partition("/oauth/")[0]))
    secret, decision = page.locator("input[type=password]"), page.get_by_role("button", name=AUTHORIZE)
    to_sign_in, known = page.get_by_role("button", name=SIGN_IN), page.get_by_role("button", name=handle)
    secret.or_(decision).or_(to_sign_in).or_(known).first.wait_for()
    if known.is_visible():
        known.click()
    elif to_sign_in.is_visible() and not secret.is_visible():
        to_sign_in.click()
    secret.or_(decision).first.wait_for()
    if secret.is_visible():
        name = page.locator("input[name=username]")
        if name.is_enabled():
            name.fill(handle)
        secret.fill(password)
        to_sign_in.click()
    button = decision if allow else page.get_by_role("button", name=DENY)
    button.click()
    page.wait_for_url(lambda url: pds.match(url) is None)

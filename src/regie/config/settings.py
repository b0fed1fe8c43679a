"""Django's settings. What an operator can change comes from ``env.py``."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from regie.config import database
from regie.config.env import env
from regie.config.first_start import setup_code
from regie.config.keys import cookie_key
from regie.config.logs import dict_config
from regie.config.mail import django_settings as mail_settings
from regie.config.store import django_storage

_env = env()
_public = urlsplit(_env.public_url)
PACKAGE = Path(__file__).resolve().parent.parent

DATA = _env.data
PUBLIC_URL = _env.public_url
DEMO = _env.demo
DEBUG = _env.debug
SECRET_KEY = cookie_key(_env)
SETUP_CODE = setup_code(_env)  # what the welcome page asks for when a stranger could open it

ALLOWED_HOSTS = [_public.hostname or "localhost", *(["localhost", "127.0.0.1", "[::1]"] if not _env.url else [])]
CSRF_TRUSTED_ORIGINS = [f"{_public.scheme}://{_public.netloc}"]
if _env.trust_proxy:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    "regie.web",  # first: its templates stand before those of the libraries
    "regie.people",
    "regie.accounts",
    "regie.media",
    "regie.studio",
    "regie.publishing",
    "regie.measure",
    "regie.planner",
    "regie.community",
    "regie.api",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
    "procrastinate.contrib.django",
]

MIDDLEWARE = [
    "csp.middleware.CSPMiddleware",  # first, so that no answer leaves without it
    "regie.web.middleware.HealthMiddleware",
    "regie.config.limits.SizeMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "regie.people.middleware.ScopeMiddleware",
    "regie.web.middleware.ProblemMiddleware",
    "regie.api.middleware.WrongMethodMiddleware",
]

ROOT_URLCONF = "regie.config.urls"
WSGI_APPLICATION = "regie.config.wsgi.application"
FORM_RENDERER = "regie.web.forms.FormRenderer"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "regie.web.context.shell",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static", "regie.web.templatetags.regie"],
        },
    }
]

DATABASES = {"default": database.django_settings(database.url())}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "regie.people.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an invitation's link has proved the address
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
MFA_ADAPTER = "regie.people.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Régie"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = _public.scheme != "https"  # browsers allow passkeys on localhost

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _public.scheme == "https"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if _public.scheme == "https" else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "media-src": [SELF, "blob:"],
        "manifest-src": [SELF],
        "form-action": [SELF, "https:", *(["http:"] if _public.scheme == "http" else [])],  # sign-in at a network
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS: list[str] = []  # each app has its own
FORMAT_MODULE_PATH = ["regie.config.formats"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/"
STATIC_ROOT = DATA / "static"
MEDIA_ROOT = DATA / "media"
MEDIA_URL = "/media/"
STORAGES = {
    "default": django_storage(_env),
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or not (STATIC_ROOT / "staticfiles.json").exists()
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # half the work of compressing at the first start
WHITENOISE_USE_FINDERS = not (STATIC_ROOT / "staticfiles.json").exists()
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
LARGEST_REQUEST = 256 * 1024 * 1024  # a few pictures at once; larger ones are turned away unread

globals().update(mail_settings(_env))
METRICS_TOKEN = _env.metrics_token.get_secret_value()

# Inner addresses that requests may reach: what the operator named, and the networks' own settings.
ALLOWED_HOSTS_OUT = [
    *_env.allowed_hosts_out.split(","),
    *(address for network in _env.networks.values() for address in network.addresses if address),
]
NETWORKS = {slug: network.api_url.rstrip("/") for slug, network in _env.networks.items()}
NETWORK_ADDRESSES = {slug: network.model_dump() for slug, network in _env.networks.items()}

PUBLISHER_LEASE, PUBLISHER_CALL = _env.publisher_lease, _env.publisher_call

PROCRASTINATE_ON_APP_READY = "regie.people.jobs.configure"
PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "tasks"

LOGGING = dict_config(_env)

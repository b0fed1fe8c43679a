"""Every environment variable of the product, read once. ``docs/operate.md`` lists them for people."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

STORE = re.compile(r"s3://[A-Za-z0-9][A-Za-z0-9._-]{1,62}(/[^/\\\s?#]+)*/?")


class NetworkEnv(BaseModel):
    """Where a vendor's hosts are, so that a sandbox, a test server or a regional host can stand in."""

    api_url: str = ""
    plc_url: str = ""  # Bluesky: the directory of identities
    web_url: str = ""  # Bluesky: where people read posts
    video_url: str = ""  # Bluesky: the service that prepares videos
    version: str = ""  # LinkedIn: the month of its API that we ask for; each ends about a year later
    application: str = ""  # LinkedIn: our app's number, which its webhooks are asked for with

    @property
    def addresses(self) -> tuple[str, ...]:
        """Those that we call."""
        return self.api_url, self.plc_url, self.video_url


class Env(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="REGIE_", env_nested_delimiter="__", extra="ignore")

    data: Path = Field(default_factory=lambda: Path.home() / ".local" / "share" / "regie")
    port: int = Field(default=8000, ge=1, le=65535)
    host: str = "127.0.0.1"  # 0.0.0.0: other machines may come too
    url: str = ""  # the one public address; without it, http://localhost:<port>
    debug: bool = False
    demo: bool = False
    secret_key: SecretStr | None = None  # signs cookies; made at first start without it
    sealing_key: SecretStr | None = None  # seals tokens, base64 of 32 bytes; made at first start without it
    allowed_hosts_out: str = ""  # host or host:port, comma separated: inner addresses that people may name
    networks: dict[str, NetworkEnv] = Field(default_factory=dict)
    email_url: SecretStr | None = None  # smtp://user:password@host:587/?tls=1; without it, mail goes to the console
    email_from: str = ""
    media_store: str = ""  # s3://bucket or s3://bucket/prefix; without it, the folder media in data
    s3_endpoint: str = ""  # of a store that is not Amazon's: https://...
    s3_region: str = ""
    s3_key: SecretStr | None = None  # without them, what Amazon's own tools find: AWS_ACCESS_KEY_ID and so on
    s3_secret: SecretStr | None = None
    s3_copies_gb: float = Field(default=10, gt=0)  # of this machine's disk, for copies of what is in the bucket
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    metrics_token: SecretStr = SecretStr("")  # /metrics asks for it; without it, only this very machine is let in
    web_workers: int = Field(default=1, ge=1)
    web_threads: int = Field(default=8, ge=1)
    publisher_connections: int = Field(default=10, ge=6)  # config/budget.py
    publisher_in_flight: int = Field(default=400, ge=1)  # calls under way at once, over all accounts
    publisher_lease: float = Field(default=10, ge=1)  # seconds without a sign of life: others take its work over
    publisher_call: float = Field(default=60, ge=2)  # seconds a network may take to answer
    worker_concurrency: int = Field(default=4, ge=1)
    trust_proxy: bool = False  # believe X-Forwarded-Proto from the proxy in front
    embedded_url: SecretStr = SecretStr("")  # set by `regie web` for its own workers
    role: str = ""  # set by each role for itself: stands in front of its log lines
    passphrase: SecretStr | None = None  # for the sealing key in a backup, instead of asking
    sandbox_port: int = Field(default=8790, ge=1, le=65000)  # of the demo; its networks take the next ones
    database_url: SecretStr | None = Field(default=None, validation_alias="DATABASE_URL")

    @field_validator("url")
    @classmethod
    def _without_slash(cls, url: str) -> str:
        return url.rstrip("/")

    @field_validator("media_store")
    @classmethod
    def _bucket(cls, store: str) -> str:
        if store and not STORE.fullmatch(store):
            raise ValueError("it is written s3://bucket or s3://bucket/folder")
        if store and find_spec("storages") is None:
            raise ValueError("a bucket needs more than is installed; run pip install 'regie[s3]'")
        return store.rstrip("/")

    @field_validator("s3_endpoint")
    @classmethod
    def _endpoint(cls, address: str) -> str:
        if address and not address.startswith(("https://", "http://")):
            raise ValueError("it is an address such as https://s3.example.org")
        return address.rstrip("/")

    @property
    def public_url(self) -> str:
        """The one public address, without a trailing slash."""
        return self.url or f"http://localhost:{self.port}"


@cache
def env() -> Env:
    return Env()

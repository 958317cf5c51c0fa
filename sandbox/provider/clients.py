"""boto3 clients of the account that a provider is for, made once and shared between threads."""

import os
import threading
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

OPERATOR = "AKIASGOP"


@dataclass
class Aws:
    """Signs as root of the one allowed account; without one, as the environment says."""

    region: str
    account: str
    default_tags: dict[str, str] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        key = OPERATOR + self.account if self.account else os.environ.get("AWS_ACCESS_KEY_ID")
        self._session = boto3.Session(
            aws_access_key_id=key,
            aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY"),
            region_name=self.region,
        )
        if not self.account:
            self.account = str(self.client("sts").get_caller_identity()["Account"])

    def client(self, service: str) -> Any:
        with self._lock:
            found = self._clients.get((service, self.region))
            if found is None:
                config = Config(retries={"mode": "standard", "max_attempts": 3}, max_pool_connections=64)
                found = self._clients[service, self.region] = self._session.client(service, config=config)
            return found

    def arn(self, service: str, resource: str, *, region: str | None = None) -> str:
        return f"arn:aws:{service}:{self.region if region is None else region}:{self.account}:{resource}"

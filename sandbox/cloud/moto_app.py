"""moto as one WSGI application whose random values and clock can be set, so that a journal replays to the same state."""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote_to_bytes

import time_machine

# Before moto reads them: the policies of AWS itself are there to be attached, and moto's own checks stay off.
os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
os.environ["MOTO_EKS_MOCK_KUBECTL"] = "true"

from moto.iam.access_control import PermissionResult
from moto.kms import utils as kms_utils
from moto.moto_api._internal import mock_random
from moto.s3 import models as s3_models
from moto.sagemaker.exceptions import AWSValidationException
from moto.sagemaker.responses import SageMakerResponse
from moto.server import DomainDispatcherApplication, create_backend_app
from moto.sts import utils as sts_utils

Environ = dict[str, Any]
Reply = tuple[str, list[tuple[str, str]], bytes]


class _SeededOs:
    """The `os` module for those parts of moto that draw upload ids, tokens and key material from the system."""

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    @staticmethod
    def urandom(size: int) -> bytes:
        return bytes(mock_random.randbytes(size))


for module in (kms_utils, s3_models, sts_utils):
    module.os = _SeededOs()


# The policies have been judged before, with their conditions, which moto's own look at a bucket policy leaves out.
s3_models.FakeBucket.get_permission = lambda self, action, resource: PermissionResult.PERMITTED


def _delete_model_package_group(response: Any) -> str:
    """What moto lacks: an empty model package group goes, one with versions stays."""
    backend, name = response.sagemaker_backend, response._get_param("ModelPackageGroupName")
    if name not in backend.model_package_groups:
        raise AWSValidationException(f"ModelPackageGroup {name} does not exist.")
    if any(package.model_package_group_name == name for package in backend.model_packages.values()):
        raise AWSValidationException(f"ModelPackageGroup {name} still has model packages; delete them first.")
    del backend.model_package_groups[name]
    return ""


SageMakerResponse.delete_model_package_group = _delete_model_package_group


class Moto:
    """`secret` keeps the keys and ids of one sandbox from being those of another."""

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.app: Callable[..., Any] = DomainDispatcherApplication(create_backend_app)

    def call(self, environ: Environ) -> Reply:
        """Answer one request: status line, headers and the whole body."""
        started: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            started[:] = [status, headers]

        chunks = self.app(environ, start_response)
        try:
            body = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        status, headers = started
        return status, headers, body

    def seed(self, number: int) -> None:
        """Make what moto draws at random from here on follow from a number."""
        mock_random.seed(f"{self.secret}{number}")

    @contextmanager
    def at(self, number: int, seconds: float) -> Iterator[None]:
        """As it was at that time, in seconds since 1970."""
        self.seed(number)
        with time_machine.travel(seconds, tick=False):
            yield


def request_environ(method: str, raw_path: str, query: str, headers: dict[str, str], body: bytes) -> Environ:
    """A WSGI request as moto reads it."""
    environ: Environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        # WSGI carries bytes as Latin-1.
        "PATH_INFO": unquote_to_bytes(raw_path).decode("latin-1"),
        "REQUEST_URI": f"{raw_path}?{query}" if query else raw_path,
        "RAW_URI": f"{raw_path}?{query}" if query else raw_path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_LENGTH": str(len(body)),
    }
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        if key == "CONTENT_LENGTH":
            continue
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    return environ

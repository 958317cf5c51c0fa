"""The server: two listeners on loopback, TLS and plain, before one authorised and journaled moto."""

import json
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cheroot import wsgi
from cheroot.ssl.builtin import BuiltinSSLAdapter

from sandbox.cloud import tls
from sandbox.cloud.cloud import Cloud
from sandbox.cloud.requests import HttpRequest

THREADS = 16
HOST = "127.0.0.1"


def application(cloud: Cloud, *, secure: bool) -> Callable[..., Iterable[bytes]]:
    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        status, headers, body = cloud.answer(_read(environ, secure=secure))
        start_response(status, [(name, value) for name, value in headers if name.lower() != "connection"])
        return [body] if environ["REQUEST_METHOD"] != "HEAD" else []

    return answer


def _read(environ: dict[str, Any], *, secure: bool) -> HttpRequest:
    headers = {
        key.removeprefix("HTTP_").replace("_", "-").lower(): value
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            headers[key.replace("_", "-").lower()] = environ[key]
    length = environ.get("CONTENT_LENGTH")
    stream = environ["wsgi.input"]
    body = stream.read(int(length)) if length else (stream.read() if "HTTP_TRANSFER_ENCODING" in environ else b"")
    raw = environ.get("REQUEST_URI") or quote(environ["PATH_INFO"])
    raw = raw.decode("latin-1") if isinstance(raw, bytes) else raw
    path, _, query = raw.partition("?")
    return HttpRequest(environ["REQUEST_METHOD"], path, query or environ.get("QUERY_STRING", ""), headers, body, secure)


def serve(home: Path) -> None:
    """Serve until SIGTERM or SIGINT. The ports are in `aws/ports.json` below `home` once it answers."""
    folder = home / "aws"
    folder.mkdir(parents=True, exist_ok=True)
    secret_file = folder / "operator-secret"
    if not secret_file.exists():
        secret_file.touch(mode=0o600)
        secret_file.write_text(secrets.token_urlsafe(30))
    chain, key = tls.certificate(folder)
    cloud = Cloud(folder, secret_file.read_text())
    remembered = _remembered(folder / "ports.json")
    servers = []
    for name, secure in (("https", True), ("http", False)):
        server = wsgi.Server(
            (HOST, _free(remembered.get(name, 0))), application(cloud, secure=secure), numthreads=THREADS, timeout=60
        )
        server.shutdown_timeout = 1
        if secure:
            server.ssl_adapter = BuiltinSSLAdapter(str(chain), str(key))
        server.prepare()
        servers.append(server)
    threads = [threading.Thread(target=server.serve, daemon=True) for server in servers]
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    for thread in threads:
        thread.start()
    ports = {"https": servers[0].bind_addr[1], "http": servers[1].bind_addr[1], "pid": os.getpid()}
    unfinished = folder / ".ports.json"
    unfinished.write_text(json.dumps(ports))
    unfinished.replace(folder / "ports.json")
    stopped.wait()
    for server in servers:
        server.stop()
    cloud.close()


def _remembered(file: Path) -> dict[str, int]:
    try:
        return dict(json.loads(file.read_text()))
    except (FileNotFoundError, ValueError):
        return {}


def _free(port: int) -> int:
    """The remembered port if nobody else has it, else another: cheroot reuses an address only if it is told the port."""
    for wanted in (port, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, wanted))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port on loopback")

"""What changed the cloud, in the order in which it did, so that a restart comes to the same state.

moto has a recorder of its own, but it neither seeds the random values of each request nor keeps its time, so that ids
and dates would differ after a replay; and it keeps requests that were refused.
"""

import base64
import json
import os
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.cloud.moto_app import Moto, Reply, request_environ
from sandbox.cloud.requests import HttpRequest

# What a replay needs to know of a request; signatures are checked before, and are not kept.
KEPT_HEADERS = ("host", "content-type", "x-amz-target", "smithy-protocol", "x-amzn-query-mode", "content-encoding")


@dataclass(frozen=True)
class Entry:
    number: int
    seconds: float
    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    def line(self) -> bytes:
        record = {
            "n": self.number,
            "t": self.seconds,
            "m": self.method,
            "p": self.path,
            "q": self.query,
            "h": self.headers,
            "b": base64.b64encode(zlib.compress(self.body, 1)).decode() if self.body else "",
        }
        return json.dumps(record, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> "Entry":
        record: dict[str, Any] = json.loads(line)
        body = zlib.decompress(base64.b64decode(record["b"])) if record["b"] else b""
        return cls(record["n"], record["t"], record["m"], record["p"], record["q"], record["h"], body)


class Journal:
    """A file of entries; every entry is on its way to the disk before the caller is answered."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.next = 0

    def entries(self) -> Iterator[Entry]:
        """All whole entries; what a killed process left of a last one is cut off."""
        if not self.file.exists():
            return
        good = 0
        with self.file.open("rb") as stream:
            for line in stream:
                if not line.endswith(b"\n"):
                    break
                yield Entry.parse(line)
                good += len(line)
        os.truncate(self.file, good)

    def replay(self, moto: Moto, seen: Callable[[bytes, Reply], None]) -> int:
        """Bring moto to the state of the journal; return the number of entries. `seen` is told of each."""
        for entry in self.entries():
            with moto.at(entry.number, entry.seconds):
                environ = request_environ(entry.method, entry.path, entry.query, entry.headers, entry.body)
                seen(entry.body, moto.call(environ))
            self.next = entry.number + 1
        self.stream = self.file.open("ab", buffering=0)
        return self.next

    def record(self, moto: Moto, http: HttpRequest, account: str, seen: Callable[[bytes, Reply], None]) -> Reply:
        """Carry out a request that may change something, and keep it if it did."""
        headers = {**_kept(http.headers), "x-moto-account-id": account}
        entry = Entry(self.next, time.time(), http.method, http.raw_path, http.query, headers, http.body)
        moto.seed(entry.number)
        reply = moto.call(request_environ(entry.method, entry.path, entry.query, entry.headers, entry.body))
        if int(reply[0].split()[0]) < 400:
            self.stream.write(entry.line())
            self.next += 1
            seen(entry.body, reply)
        return reply

    def close(self) -> None:
        self.stream.close()


def _kept(headers: dict[str, str]) -> dict[str, str]:
    """Host, content and x-amz headers; of the authorisation only the scope, by which moto finds the service."""
    kept = {
        name: value
        for name, value in headers.items()
        if name.lower() in KEPT_HEADERS
        or (name.lower().startswith(("x-amz-", "x-moto-", "if-", "content-", "cache-", "expires")))
    }
    kept.pop("x-amz-security-token", None)
    if scope := headers.get("authorization"):
        kept["authorization"] = scope.split(",")[0] + ", SignedHeaders=host, Signature=0"
    return kept

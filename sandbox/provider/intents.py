"""What was being created: a file for each resource, so that a creation whose outcome the engine never learned is found again.

A file is written before a creation, gets the id after it, and goes with the deletion. A creation that finds a file was
begun before: the engine lost it, unless it asked about the id since the provider started; then the resource is known
to it and is being replaced.
"""

import hashlib
import json
import os
import threading
from pathlib import Path


class Intents:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known: set[tuple[str, str]] = set()
        self.lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def knows(self, urn: str, id: str) -> None:
        """The engine has this resource in its state."""
        with self.lock:
            self.known.add((urn, id))

    def begin(self, urn: str) -> tuple[bool, str | None]:
        """Note a creation. Returns whether one was begun before and lost, and the id if it got that far."""
        file = self._file(urn)
        lost, id = False, None
        if file.exists():
            id = json.loads(file.read_text()).get("id")
            lost = (urn, id or "") not in self.known
        self._write(file, {"urn": urn})
        return lost, id if lost else None

    def done(self, urn: str, id: str) -> None:
        self.knows(urn, id)
        self._write(self._file(urn), {"urn": urn, "id": id})

    def failed(self, urn: str) -> None:
        """The cloud refused: nothing was made."""
        self._file(urn).unlink(missing_ok=True)

    def gone(self, urn: str, id: str) -> None:
        """A resource was deleted; a replacement of the same name keeps its file."""
        file = self._file(urn)
        if file.exists() and json.loads(file.read_text()).get("id") == id:
            file.unlink(missing_ok=True)

    def _file(self, urn: str) -> Path:
        return self.folder / hashlib.sha256(urn.encode()).hexdigest()[:32]

    def _write(self, file: Path, content: dict[str, str]) -> None:
        unfinished = file.with_suffix(f".{threading.get_ident()}")
        unfinished.write_text(json.dumps(content))
        os.replace(unfinished, file)

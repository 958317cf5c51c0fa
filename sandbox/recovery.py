"""What a killed `pulumi` leaves in its state: a lock that no one holds, and creations whose outcome is unknown."""

import json
import socket
import subprocess
import sys
from pathlib import Path


def release_lock(state: Path, stack: str) -> None:
    """Take away locks of a stack whose process is dead, as `pulumi cancel` would; those of living ones stay."""
    for folder in (state / ".pulumi" / "locks").glob(f"**/{stack}"):
        for lock in folder.glob("*.json"):
            try:
                holder = json.loads(lock.read_text())
            except (OSError, ValueError):
                holder = {"hostname": socket.gethostname(), "pid": None}  # killed before it could write it
            if holder["hostname"] == socket.gethostname() and not is_pulumi(holder["pid"]):
                print(f"releasing the lock of an update of {stack} that was killed", file=sys.stderr)
                lock.unlink(missing_ok=True)
                lock.with_name(f"{lock.name}.attrs").unlink(missing_ok=True)


def mend_attributes(state: Path) -> None:
    """Take away descriptions of files that were cut off: the file backend writes them after the file, and not in one step.

    The files are whole, for those are renamed into place, and are read without a description too.
    """
    for description in (state / ".pulumi").glob("**/*.attrs"):
        try:
            json.loads(description.read_text())
        except ValueError:
            description.unlink(missing_ok=True)
        except OSError:
            continue


def is_pulumi(pid: int | None) -> bool:
    """Whether a process is alive and, since ids are used again, is a `pulumi`."""
    if pid is None:
        return False
    try:
        name = Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        if Path("/proc/self").exists():
            return False
        ps = ["ps", "-p", str(pid), "-o", "comm="]
        name = subprocess.run(ps, check=False, capture_output=True, text=True).stdout
    return Path(name.strip()).name == "pulumi"


def pending_creations(checkpoint: Path) -> list[str]:
    """URNs of resources that an update was creating when it was killed.

    The sandbox's provider finds what such a creation has made, so they can be created again.
    """
    latest = json.loads(checkpoint.read_text())["checkpoint"].get("latest") or {}
    return [operation["resource"]["urn"] for operation in latest.get("pending_operations") or ()]

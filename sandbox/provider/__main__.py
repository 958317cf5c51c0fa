"""`pulumi-resource-aws`: prints its port, serves until it is told to stop or the engine is gone."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from sandbox.provider.intents import Intents
from sandbox.provider.server import serve

PARENT = os.getppid()


def main() -> None:
    home = os.environ.get("STAGEGATE_SANDBOX")
    if not home:
        sys.exit("pulumi-resource-aws of the sandbox: STAGEGATE_SANDBOX is not set; use `stagegate sandbox shell`")
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server, port = serve(Intents(Path(home) / "provider" / "creating"))
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    while not stopped.wait(1) and os.getppid() == PARENT:
        time.sleep(0)
    server.stop(grace=None)


main()

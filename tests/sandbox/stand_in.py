"""A process of a sandbox, for tests of starting and stopping: `stand_in.py HOME BEHAVIOR`."""

import os
import signal
import socket
import sys
import time
from pathlib import Path

home, behavior = Path(sys.argv[1]), sys.argv[2]
if behavior == "fails":
    raise SystemExit("cannot start: the disk is on fire")
if behavior == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if behavior != "silent":
    listener = socket.create_server(("127.0.0.1", 0))
    ready = home / "stand-in.port"
    ready.with_suffix(".new").write_text(f"{os.getpid()} {listener.getsockname()[1]}")
    ready.with_suffix(".new").replace(ready)
while True:
    time.sleep(60)

"""One line that tells how far a command is: rewritten on a terminal, printed sparingly in a log."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

SECONDS_BETWEEN_LINES = 15.0


@contextmanager
def progress(console: Console) -> Iterator[Callable[[str], None]]:
    """A function that shows how far a step is: its text before the first colon names the step."""
    if console.is_terminal:
        with console.status("") as status:
            yield lambda message: status.update(message)
        return
    step, printed = "", 0.0

    def show(message: str) -> None:
        nonlocal step, printed
        if message.partition(":")[0] != step or time.monotonic() - printed > SECONDS_BETWEEN_LINES:
            step, printed = message.partition(":")[0], time.monotonic()
            console.print(message, markup=False, highlight=False, soft_wrap=True)

    yield show

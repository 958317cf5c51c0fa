"""`stagegate up`: from declarations to a running department, in the sandbox."""

import json
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.spec import PLATFORM, load
from sandbox import state
from sandbox.home import REPOSITORY, Home
from stagegate import access
from stagegate.errors import UserError
from stagegate.progress import progress
from stagegate.sandbox import errors, started

# What Pulumi calls an operation, as a person says it.
DOING = {
    "create": "creating",
    "update": "updating",
    "delete": "deleting",
    "replace": "replacing",
    "create-replacement": "replacing",
    "delete-replaced": "replacing",
}
PAST = {"create": "created", "update": "updated", "delete": "deleted", "replace": "replaced"}


@dataclass
class Update:
    """One stack's update, from the events of the engine."""

    stack: str
    done: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def take(self, event: dict[str, Any]) -> str | None:
        """Take in one event; the progress line that it makes, if any."""
        if step := event.get("resourcePreEvent"):
            metadata = step["metadata"]
            if metadata["op"] in DOING:
                name = metadata["urn"].rpartition("::")[2]
                return f"{self.stack}: {self.done} done, {DOING[metadata['op']]} {name}"
        elif step := event.get("resOutputsEvent"):
            self.done += step["metadata"]["op"] in DOING
        elif said := event.get("diagnosticEvent"):
            text = said["message"].strip()
            name = said.get("urn", "").rpartition("::")[2]
            if said["severity"] == "error":
                self.problems.append(f"{name}: {text}" if name else text)
            elif said["severity"] == "warning":
                self.warnings.append(f"{name}: {text}" if name else text)
        elif end := event.get("summaryEvent"):
            self.changes.update({op: count for op, count in end["resourceChanges"].items() if op != "same"})
        return None

    @property
    def summary(self) -> str:
        """What changed, in words."""
        parts = [f"{count} {PAST.get(op, op)}" for op, count in sorted(self.changes.items())]
        return f"{self.stack}: {', '.join(parts) or 'nothing changed'}"


def up(department: str, environment: str, stacks: Path | None, home: Path | None) -> None:
    """Sandbox, platform and department, in this order; the same command goes on after whatever stopped it.

    Raises DeclarationError and UserError before any stack is touched; exits with 1 where an update fails.
    """
    folder = stacks or REPOSITORY / "stacks"
    declarations = load(folder)
    _known("department", department, declarations.departments)
    _known("environment", environment, [str(name) for name in declarations.organization.environments])
    console = Console()
    with errors():
        variables = started(home, folder)
    place = Home.of(home)
    names = [f"{PLATFORM}-{environment}", f"{department}-{environment}"]
    updates = []
    for name in names:
        with progress(console) as show:
            updates.append(_update(name, place, variables, show))
        for warning in updates[-1].warnings:
            console.print(f"warning: {warning}", markup=False, highlight=False, soft_wrap=True)
        console.print(updates[-1].summary, highlight=False)
    if not any(update.changes for update in updates):
        console.print("[bold]Nothing changed[/]: everything is as declared.")
    _summary(console, place, folder, names)


def _known(kind: str, name: str, possible: Any) -> None:
    if name not in possible:
        raise UserError(f"no {kind} {name!r}; there {'are' if len(possible) > 1 else 'is'} {', '.join(possible)}")


def _update(stack: str, home: Home, variables: dict[str, str], show: Callable[[str], None]) -> Update:
    update = Update(stack)
    show(f"{stack}: starting")
    command = [str(home.bin / "pulumi"), "up", "--stack", stack, "--yes", "--skip-preview", "--json"]
    command += ["--color", "never", "--non-interactive"]
    process = subprocess.Popen(
        command,
        env=variables,
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stderr
    stderr: list[str] = []
    reader = threading.Thread(target=lambda lines: stderr.extend(lines), args=(process.stderr,), daemon=True)
    reader.start()
    with _passing_signals_to(process) as signals:
        for line in process.stdout:
            if line.startswith("{") and (message := update.take(json.loads(line))):
                show(message if not signals else f"{stack}: finishing what was begun; interrupt again to break off")
        process.wait()
        reader.join()
    if signals:
        console = Console(stderr=True)
        console.print(f"{stack}: interrupted after {update.done} changes; the same command goes on", highlight=False)
        sys.exit(128 + signals[0])
    if process.returncode:
        said = "".join(line for line in stderr if not line.startswith("warning:")).strip()
        sys.stderr.write("\n".join([f"{stack} did not come up:", *(update.problems or [said]), ""]))
        sys.exit(1)
    return update


@contextmanager
def _passing_signals_to(process: "subprocess.Popen[str]") -> Iterator[list[int]]:
    """Pass an interrupt on, once for each, so that the engine ends in order; those that came are in the list."""
    came: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        came.append(number)
        process.send_signal(signal.SIGINT)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _summary(console: Console, home: Home, stacks: Path, names: list[str]) -> None:
    there = state.stacks(home)
    department = names[-1]
    console.print()
    exists = Table("what exists", *names, header_style="bold")
    counts = {name: Counter(type_.split(":")[1].split("/")[0] for type_ in there[name].types) for name in names}
    for kind in sorted(set().union(*counts.values())):
        exists.add_row(kind, *(str(counts[name][kind] or "") for name in names))
    exists.add_row("all", *(str(counts[name].total()) for name in names), style="bold")
    console.print(exists)
    key_names = Table("outputs", department, header_style="bold")
    for key, value in there[department].outputs.items():
        key_names.add_row(key, value if isinstance(value, str) else json.dumps(value))
    console.print(key_names)
    may = Table("who", f"may, in {department}", header_style="bold")
    for principal, verbs in access.matrix(access.of_stack(stacks, department)).items():
        may.add_row(str(principal), ", ".join(verbs) or "nothing")
    console.print(may)
    name, _, environment = department.rpartition("-")
    console.print("[bold]Try next[/]")
    for command, why in {
        f"stagegate access {department}": "who may do what, on what",
        "stagegate sandbox shell": f"then plain pulumi: pulumi preview -s {department}, pulumi stack output -s {department}",
        f"make preview DEPARTMENT={name} ENVIRONMENT={environment}": "what a change to stacks/ would do",
        "stagegate sandbox down": "stop it; make up brings it back as it was",
    }.items():
        console.print(f"  {command:<48} {why}", highlight=False, soft_wrap=True)

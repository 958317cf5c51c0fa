"""`stagegate sandbox`: the embedded cloud, in which everything can be tried without an account."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sandbox.home import Home

app = typer.Typer(help="The embedded cloud: try everything without an account.", no_args_is_help=True)

HomeOption = Annotated[
    Path | None,
    typer.Option("--home", help="Where the sandbox lives [STAGEGATE_SANDBOX, else .sandbox].", metavar="DIR"),
]
StacksOption = Annotated[
    Path | None, typer.Option("--stacks", help="Folder of the declarations [stacks].", metavar="DIR")
]


@app.command()
def up(home: HomeOption = None, stacks: StacksOption = None) -> None:
    """Start it, or start again what stopped; what was up before is up again."""
    with errors():
        variables = started(home, stacks)
    print(f"AWS answers at {variables['AWS_ENDPOINT_URL']}; state is in {variables['STAGEGATE_SANDBOX']}")


@app.command()
def down(
    home: HomeOption = None,
    delete: Annotated[bool, typer.Option("--delete", help="Also delete all that it holds.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Stop it. What it holds stays, unless --delete is given."""
    from sandbox import lifecycle

    place = _home(home)
    if delete and place.path.exists():
        if not (place.path / "sandbox.json").exists():
            _refuse(f"{place.path} is not a sandbox: it has no sandbox.json")
        if not yes and not typer.confirm(f"Delete {place.path} and all that it holds?"):
            raise typer.Exit(1)
    with errors():
        stopped = lifecycle.down(place)
    if delete and place.path.exists():
        shutil.rmtree(place.path)
    print("stopped" if stopped else "nothing was running", "and deleted" if delete else "")


@app.command()
def status(home: HomeOption = None) -> None:
    """What runs, what is in it, and what the embedded AWS only records. Exit code 1 if it does not run."""
    from rich.console import Console
    from rich.table import Table

    from sandbox import lifecycle, state
    from sandbox.provider import recorded_types

    place, console = _home(home), Console()
    processes = lifecycle.status(place)
    shown = Table("process", "state", "at", "log", header_style="bold")
    for process in processes:
        word = "stopped" if process.pid is None else "running" if process.answers else "not answering"
        running = process.pid is not None
        shown.add_row(
            process.name,
            f"{word} (pid {process.pid})" if running else word,
            process.endpoint if running else "",
            str(process.log),
        )
    console.print(shown)
    stacks = state.stacks(place)
    if stacks:
        shown = Table("stack", "resources", header_style="bold")
        for stack in stacks.values():
            shown.add_row(stack.name, str(len(stack.types)))
        console.print(shown)
    else:
        console.print("no stacks yet: try `stagegate up --department risk --environment dev`")
    console.print("\nThe embedded AWS has no API for these types; the provider records them:")
    for name in recorded_types():
        console.print(f"  {name}", highlight=False)
    if not all(process.answers for process in processes):
        raise typer.Exit(1)


@app.command()
def shell(home: HomeOption = None, stacks: StacksOption = None) -> None:
    """A shell in which plain pulumi and aws talk to the sandbox."""
    with errors():
        variables = started(home, stacks)
    program = os.environ.get("SHELL") or "/bin/sh"
    command = [program]
    if Path(program).name == "bash" and sys.stdin.isatty():
        command = [program, "--rcfile", str(_bashrc(_home(home), variables["PATH"])), "-i"]
        print("plain `pulumi` now works on the sandbox, e.g. `pulumi preview -s risk-dev`; leave with exit")
    os.execvpe(program, command, variables)  # noqa: S606


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False}
)
def run(
    command: Annotated[list[str], typer.Argument(metavar="-- CMD…", help="The program and its arguments.")],
    home: HomeOption = None,
    stacks: StacksOption = None,
) -> None:
    """Run one command in the sandbox's environment: its output, exit code and signals are the command's own."""
    with errors():
        variables = started(home, stacks)
    try:
        program = shutil.which(command[0], path=variables["PATH"]) or command[0]
        os.execve(program, command, variables)  # noqa: S606 (signals and exit code are then the command's)
    except OSError as problem:
        sys.stderr.write(f"{command[0]}: {problem.strerror}\n")
        sys.exit(127)


def started(home: Path | None, stacks: Path | None) -> dict[str, str]:
    """Start the sandbox if need be; the environment of its programs."""
    from rich.console import Console

    from sandbox import lifecycle
    from sandbox.environment import environment
    from stagegate.progress import progress

    place = _home(home)
    environment(place, stacks)  # what is wrong with the declarations shows before anything starts
    with progress(Console(stderr=True)) as show:
        lifecycle.up(place, show)
    return environment(place, stacks)


@contextmanager
def errors() -> Iterator[None]:
    """What the sandbox can't do is an error of the user's, with one message."""
    from sandbox.home import SandboxError
    from stagegate.errors import UserError

    try:
        yield
    except SandboxError as problem:
        raise UserError(str(problem)) from None


def _home(chosen: Path | None) -> "Home":
    from sandbox.home import Home

    return Home.of(chosen)


def _refuse(message: str) -> None:
    from stagegate.errors import UserError

    raise UserError(message)


def _bashrc(home: "Home", path: str) -> Path:
    """The user's own start-up file, and then the sandbox's PATH before whatever that has put there."""
    from sandbox.home import write

    file = home.path / "bashrc"
    lines = [
        "[ -r ~/.bashrc ] && . ~/.bashrc",
        f"export PATH={shlex.quote(path)}",
        'PS1="(sandbox) ${PS1:-\\\\$ }"',
    ]
    write(file, "\n".join(lines) + "\n")
    return file

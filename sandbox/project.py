"""Plain `pulumi` in a sandbox: the engine, run on the sandbox's own copies of the project and stack files.

The engine writes into stack files (an encryption salt, what `pulumi config` sets), so the repository's are only read.
`HOME/bin/pulumi` runs `main`, which also does what a fresh or interrupted sandbox needs first: it creates a declared
stack on first use, and takes away what a killed update has left in the way.
"""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox import recovery
from sandbox.environment import environment
from sandbox.home import REPOSITORY, Home, SandboxError, write

# Written by a secrets provider that the sandbox has no access to.
SECRETS = ("secretsprovider", "encryptedkey", "encryptionsalt")
# Options whose value is a path, which the engine would look for in the copy's directory.
PATH_OPTIONS = frozenset(
    {"--policy-pack", "--policy-pack-config", "--file", "-f", "--out", "-o", "--save-plan", "--plan", "--import-file"}
    | {"--config-file", "--event-log"}
)
STACK_OPTIONS = ("--stack", "-s")
USES_STATE = frozenset({"up", "update", "preview", "pre", "refresh", "destroy", "down", "dn", "import", "watch"})
DESTROYS = frozenset({"destroy", "down", "dn"})


@dataclass(frozen=True)
class Command:
    """What the wrapper has to know of a command line of `pulumi`."""

    arguments: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:
        """The subcommands and positional arguments, in order."""
        words, skip = [], False
        for argument in self.arguments:
            if skip:
                skip = False
            elif argument == "--":
                break
            elif argument.startswith("-"):
                skip = argument in (*STACK_OPTIONS, *PATH_OPTIONS, "--color", "--cwd", "-C", "--config", "-c")
            else:
                words.append(argument)
        return tuple(words)

    def value(self, *names: str) -> str | None:
        for index, argument in enumerate(self.arguments):
            if argument == "--":
                break
            if argument in names and index + 1 < len(self.arguments):
                return self.arguments[index + 1]
            for name in names:
                if argument.startswith(f"{name}="):
                    return argument.removeprefix(f"{name}=")
                if not name.startswith("--") and argument.startswith(name) and not argument.startswith("--"):
                    return argument.removeprefix(name)
        return None

    @property
    def stack(self) -> str | None:
        """The stack that the command names."""
        named = self.value(*STACK_OPTIONS) or os.environ.get("PULUMI_STACK")
        if self.words[:2] == ("stack", "select") and len(self.words) > 2:
            named = self.words[2]
        return named.rsplit("/", 1)[-1] if named else None

    def with_absolute_paths(self, directory: Path) -> tuple[str, ...]:
        done: list[str] = []
        for argument in self.arguments:
            name, equals, value = argument.partition("=")
            if done and done[-1] in PATH_OPTIONS:
                done.append(str(directory / argument))
            elif equals and name in PATH_OPTIONS:
                done.append(f"{name}={directory / value}")
            else:
                done.append(argument)
        return tuple(done)


def main() -> None:
    """`HOME/bin/pulumi HOME ARGUMENT…`: become the engine, after the preparations."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    home, command = Home(Path(sys.argv[1])), Command(tuple(sys.argv[2:]))
    try:
        inside = os.environ.get("STAGEGATE_SANDBOX") == str(home.path)
        variables = dict(os.environ) if inside else environment(home)
        engine = home.engine()
        if engine is None:
            raise SandboxError("the sandbox has no engine: run `stagegate sandbox up`")
        arguments = command.arguments
        if concerns_repository(command, Path.cwd()):
            stacks = Path(variables["STAGEGATE_STACKS"])
            copy_files(home, stacks)
            if command.words[:2] not in (("stack", "init"), ("stack", "ls")):
                prepare_stack(home, engine, variables, stacks, command)
            arguments = ("-C", str(home.project), *command.with_absolute_paths(Path.cwd()))
            if command.words[:1] == ("import",) and command.value("--generate-code") is None:
                # Code is generated from the official plugin's schema, which the sandbox doesn't have.
                arguments = (*arguments, "--generate-code=false")
    except SandboxError as problem:
        print(f"error: {problem}", file=sys.stderr)
        sys.exit(2)
    os.execve(engine, [str(engine), *arguments], variables)  # noqa: S606 (signals and exit code are then the engine's)


def concerns_repository(command: Command, directory: Path) -> bool:
    """Whether a command is about this repository's project: not one with its own -C, nor in another project."""
    if command.value("--cwd", "-C") is not None:
        return False
    for folder in (directory, *directory.parents):
        if (folder / "Pulumi.yaml").is_file():
            return folder.resolve() == REPOSITORY
    return True


def copy_files(home: Home, stacks: Path) -> None:
    """Bring the copies up to date: a key that changed in the repository wins, all else that the copy has stays."""
    project = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())
    copy = {
        "name": project["name"],
        "description": project["description"],
        "runtime": "python",
        "main": str(REPOSITORY / project["main"]),
        "plugins": {
            "languages": [{"name": "python", "path": str(home.bin)}],
            "providers": [{"name": "aws", "path": str(home.bin)}],
        },
    }
    write(home.project / "Pulumi.yaml", yaml.safe_dump(copy, sort_keys=False))
    for file in sorted(stacks.glob("Pulumi.*.yaml")):
        config = _settings(file).get("config") or {}
        public = {key: value for key, value in config.items() if not (isinstance(value, dict) and "secure" in value)}
        if stacks != REPOSITORY / "stacks":
            public[f"{project['name']}:stacks"] = str(stacks)
        seen_file = home.project / "seen" / file.name
        seen = _settings(seen_file)
        if public == seen and (home.project / file.name).exists():
            continue
        own = {key: value for key, value in _settings(home.project / file.name).items() if key != "config"}
        kept = _settings(home.project / file.name).get("config") or {}
        for key in seen.keys() - public.keys():
            kept.pop(key, None)
        kept |= {key: value for key, value in public.items() if seen.get(key) != value}
        write(home.project / file.name, yaml.safe_dump(own | {"config": kept}))
        write(seen_file, yaml.safe_dump(public))


def prepare_stack(home: Home, engine: Path, variables: dict[str, str], stacks: Path, command: Command) -> None:
    """Create a declared stack on first use, and make it usable after an update that was killed."""
    stack = command.stack or selected_stack(home)
    if not stack:
        return
    pulumi = [str(engine), "-C", str(home.project), "--non-interactive"]
    recovery.mend_attributes(home.state)
    if not checkpoint(home, stack).is_file():
        declared = declared_stacks(stacks)
        if stack not in declared:
            raise SandboxError(f"no stack {stack!r}; declared are {', '.join(declared)}")
        _quietly([*pulumi, "stack", "init", "--no-select", stack], variables)
        return
    recovery.release_lock(home.state, stack)
    pending = recovery.pending_creations(checkpoint(home, stack)) if set(command.words[:1]) & USES_STATE else []
    if pending and command.words[0] in DESTROYS:
        raise SandboxError(
            "an update was killed while it created\n  "
            + "\n  ".join(pending)
            + f"\nRun `pulumi up --stack {stack}` first, so that nothing is left over; then destroy."
        )
    if pending:
        exported = json.loads(_quietly([*pulumi, "stack", "export", "--stack", stack], variables))
        exported["deployment"].pop("pending_operations", None)
        _quietly([*pulumi, "stack", "import", "--stack", stack], variables, given=json.dumps(exported))


def selected_stack(home: Home) -> str | None:
    """The stack of `pulumi stack select`."""
    for file in (home.path / "pulumi" / "workspaces").glob("*-workspace.json"):
        selected = json.loads(file.read_text()).get("stack")
        return str(selected).rsplit("/", 1)[-1] if selected else None
    return None


def checkpoint(home: Home, stack: str) -> Path:
    return checkpoints(home) / f"{stack}.json"


def checkpoints(home: Home) -> Path:
    """The file backend's directory of this project's stacks."""
    name = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())["name"]
    return home.state / ".pulumi" / "stacks" / str(name)


def declared_stacks(stacks: Path) -> tuple[str, ...]:
    """The stacks of the declarations. Raises SandboxError for declarations that can't be used."""
    from infra.spec import DeclarationError, load  # slow to import, and rarely needed here

    try:
        return load(stacks).stacks
    except DeclarationError as problem:
        raise SandboxError(str(problem)) from None


def _settings(file: Path) -> dict[str, Any]:
    try:
        return yaml.safe_load(file.read_text()) or {}
    except FileNotFoundError:
        return {}


def _quietly(command: list[str], variables: dict[str, str], given: str | None = None) -> str:
    result = subprocess.run(command, check=False, capture_output=True, text=True, env=variables, input=given)
    if result.returncode:
        raise SandboxError(f"`pulumi {' '.join(command[4:])}` failed:\n{(result.stderr or result.stdout).strip()}")
    return result.stdout


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)

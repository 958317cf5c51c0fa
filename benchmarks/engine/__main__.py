"""Time the program against a bare one in the sandbox, and previews of departments with 1, 10, 50 and 200 models.

    python -m benchmarks.engine [--rounds 5] [--models 1 10 50 200]

Every figure is a ratio of two things timed in this run, in alternation, on the same engine, provider and machine:
a department's program over a bare program that registers the same resources, for preview (of a stack that doesn't
exist yet) and for up (from nothing).
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from ruamel.yaml import YAML

from benchmarks.engine import bare

ROOT = Path(__file__).parents[2]
STAGEGATE = str(Path(sys.executable).with_name("stagegate"))
console = Console()


class Sandbox:
    """A sandbox of its own below `home`; `run` is one command in its environment, timed in seconds."""

    def __init__(self, home: Path, stacks: Path) -> None:
        self.home, self.stacks = home, stacks

    def stagegate(self, *arguments: str) -> None:
        self._run([STAGEGATE, *arguments], ROOT)

    def run(self, *command: str, cwd: Path = ROOT) -> tuple[float, str]:
        options = ["--home", str(self.home), "--stacks", str(self.stacks)]
        return self._run([STAGEGATE, "sandbox", "run", *options, "--", *command], cwd)

    def _run(self, command: list[str], cwd: Path) -> tuple[float, str]:
        started = time.perf_counter()
        done = subprocess.run(
            command,
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "STAGEGATE_SANDBOX": str(self.home)},
        )
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        return time.perf_counter() - started, done.stdout


def with_models(count: int, folder: Path) -> Path:
    """Copy the declarations, leaving `risk` with `count` models that are alike but for their names."""
    stacks = folder / f"stacks-{count}"
    shutil.copytree(ROOT / "stacks", stacks)
    yaml = YAML()
    models = stacks / "risk" / "models"
    pattern = yaml.load(models / "card-fraud.yaml")
    for path in models.iterdir():
        path.unlink()
    for number in range(count):
        name = f"card-fraud-{number:03}"
        pattern.update(model=name, image_repository=name)
        yaml.dump(pattern, models / f"{name}.yaml")
    return stacks


def compare(sandbox: Sandbox, folder: Path, rounds: int) -> Table:
    sandbox.stagegate("up", "--department", "risk", "--environment", "dev")
    _, exported = sandbox.run("pulumi", "stack", "export", "--stack", "risk-dev")
    count = bare.write(json.loads(exported), folder / "bare")
    sandbox.run("pulumi", "destroy", "--yes", "--skip-preview", "--stack", "risk-dev")
    sandbox.run("pulumi", "stack", "init", "organization/bare/bare-dev", cwd=folder / "bare")
    programs = {"department": ("risk-dev", ROOT), "bare": ("organization/bare/bare-dev", folder / "bare")}
    seconds: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for program, (stack, cwd) in programs.items():
            for step, command in (("preview", ("preview",)), ("up", ("up", "--yes", "--skip-preview"))):
                taken, _ = sandbox.run("pulumi", *command, "--stack", stack, cwd=cwd)
                seconds.setdefault((step, program), []).append(taken)
            sandbox.run("pulumi", "destroy", "--yes", "--skip-preview", "--stack", stack, cwd=cwd)
    table = Table(title=f"risk-dev against a bare program, {count} resources, {rounds} rounds")
    for heading in ("step", "department s", "bare s", "ratio", "goal"):
        table.add_column(heading, justify="left" if heading == "step" else "right")
    for step in ("preview", "up"):
        ours, theirs = (statistics.median(seconds[step, program]) for program in programs)
        table.add_row(step, f"{ours:.2f}", f"{theirs:.2f}", f"{ours / theirs:.2f}", "≤ 1.15")
    return table


def growth(home: Path, folder: Path, counts: list[int], rounds: int) -> Table:
    table = Table(title=f"preview of one department, {rounds} rounds")
    for heading in ("models", "resources", "seconds", "ms a resource over the smallest"):
        table.add_column(heading, justify="right")
    smallest: tuple[int, float] | None = None
    for count in counts:
        sandbox = Sandbox(home, with_models(count, folder))
        times, resources = [], 0
        for _ in range(rounds):
            taken, output = sandbox.run("pulumi", "preview", "--json", "--stack", "risk-dev")
            times.append(taken)
            resources = len(json.loads(output)["steps"])
        seconds = statistics.median(times)
        smallest = smallest or (resources, seconds)
        extra = resources - smallest[0]
        slope = f"{(seconds - smallest[1]) / extra * 1000:.1f}" if extra else "–"
        table.add_row(str(count), str(resources), f"{seconds:.2f}", slope)
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", type=int, nargs="+", default=[1, 10, 50, 200])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="stagegate-bench-") as name:
        folder = Path(name)
        sandbox = Sandbox(folder / "home", ROOT / "stacks")
        try:
            console.print(compare(sandbox, folder, options.rounds))
            console.print(growth(folder / "home", folder, options.models, max(1, options.rounds // 2)))
        finally:
            sandbox.stagegate("sandbox", "down", "--home", str(folder / "home"))


if __name__ == "__main__":
    main()

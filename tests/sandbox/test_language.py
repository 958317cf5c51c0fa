"""The language host, driven by the real engine: programs, their errors, interrupts, and policy packs."""

import json
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("engine")


def patiently(condition: Callable[[], Any], seconds: float = 20) -> Any:
    deadline = time.monotonic() + seconds
    while not (result := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return result


@pytest.fixture
def trial(project):
    project.run("stack", "init", "trial")
    return project


def test_a_program_runs_in_its_directory_with_its_configuration(trial) -> None:
    trial.write("program/beside.py", "value = 'from a module beside it'")
    trial.write(
        "program/__main__.py",
        "import os, sys, pulumi, beside\n"
        "config = pulumi.Config()\n"
        "for name, value in dict(cwd=os.getcwd(), argv=sys.argv, beside=beside.value, organization=pulumi.get_organization(),\n"
        "    stack=pulumi.get_stack(), plain=config.get('plain'), hidden=config.get_secret('hidden')).items():\n"
        "    pulumi.export(name, value)\n",
    )
    trial.run("config", "set", "plain", "seen")
    trial.run("config", "set", "--secret", "hidden", "unseen")
    up = trial.run("up", "--yes", "--skip-preview")
    assert up.returncode == 0, up.stdout
    assert "warning" not in up.stdout
    outputs = json.loads(trial.run("stack", "output", "--json").stdout)
    folder = str(trial.folder / "program")
    assert outputs == {
        "cwd": folder,
        "argv": [folder],
        "beside": "from a module beside it",
        "organization": "organization",
        "stack": "trial",
        "plain": "seen",
        "hidden": "[secret]",
    }


def test_an_exception_is_a_traceback_of_the_users_own_code(trial) -> None:
    trial.write("program/__main__.py", "def f():\n    raise ValueError('not like this')\nf()\n")
    preview = trial.run("preview")
    assert preview.returncode != 0
    assert preview.stdout.count("ValueError: not like this") == 1
    frames = [line for line in preview.stdout.splitlines() if line.strip().startswith("File ")]
    assert len(frames) == 2
    assert all(str(trial.folder / "program" / "__main__.py") in frame for frame in frames)


def test_a_run_error_is_one_message(trial) -> None:
    trial.write("program/__main__.py", "import pulumi\nraise pulumi.RunError('the declarations are wrong')\n")
    preview = trial.run("preview")
    assert preview.returncode != 0
    assert "error: the declarations are wrong" in preview.stdout
    assert "Traceback" not in preview.stdout


def test_a_project_without_a_program_says_so(trial) -> None:
    preview = trial.run("preview")
    assert preview.returncode != 0
    assert "has no __main__.py" in preview.stdout
    assert "Traceback" not in preview.stdout


@pytest.fixture
def endless(trial):
    """An update whose program has begun and doesn't end."""
    started = trial.folder / "started"
    trial.write(
        "program/__main__.py", f"import pathlib, time\npathlib.Path({str(started)!r}).touch()\ntime.sleep(600)\n"
    )
    process = trial.start("up", "--yes", "--skip-preview")
    assert patiently(started.exists), process.communicate()
    yield process
    process.kill()
    process.communicate()


def test_an_interrupt_ends_it_quietly(trial, endless: "subprocess.Popen[str]", processes_with) -> None:
    endless.send_signal(signal.SIGINT)
    output, _ = endless.communicate(timeout=30)
    assert endless.returncode != 0
    assert "Traceback" not in output
    assert "KeyboardInterrupt" not in output
    home = trial.variables["STAGEGATE_SANDBOX"]
    assert patiently(lambda: not processes_with(home))


def test_the_host_ends_with_an_engine_that_was_killed(trial, endless: "subprocess.Popen[str]", processes_with) -> None:
    home = trial.variables["STAGEGATE_SANDBOX"]
    assert len(processes_with(home)) >= 2
    endless.kill()
    endless.wait()
    assert patiently(lambda: not processes_with(home))


def test_a_policy_pack_runs(trial) -> None:
    trial.write("program/__main__.py", "import pulumi\npulumi.ComponentResource('own:it:Thing', 'forbidden')\n")
    trial.write("pack/PulumiPolicy.yaml", "runtime: python\n")
    # A module of the program that hides one of the standard library's must not reach the pack.
    trial.write("program/platform.py", "raise SystemExit('the wrong module')\n")
    trial.write(
        "pack/__main__.py",
        "from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy\n"
        "def check(args, report):\n"
        "    if args.name == 'forbidden':\n"
        "        report('not this name')\n"
        "PolicyPack('pack', [ResourceValidationPolicy('names', 'Names.', check, EnforcementLevel.MANDATORY)])\n",
    )
    preview = trial.run("preview", "--policy-pack", str(Path(trial.folder, "pack")))
    assert preview.returncode != 0
    assert "not this name" in preview.stdout
    trial.write("program/__main__.py", "import pulumi\npulumi.ComponentResource('own:it:Thing', 'fine')\n")
    assert trial.run("preview", "--policy-pack", str(Path(trial.folder, "pack"))).returncode == 0

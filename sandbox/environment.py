"""The environment in which programs talk to a sandbox, and to nothing else."""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

import yaml

from sandbox.home import REPOSITORY, Home, SandboxError

# Root of an account in the sandbox: this prefix and the account's number make the access key id.
OPERATOR = "AKIASGOP"


def environment(home: Home, stacks: Path | None = None, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`base` with everything that points at AWS or Pulumi elsewhere replaced by this sandbox.

    `stacks` is the directory of declarations, whose dev account (else the first) is the one that programs act in.
    """
    stacks = stacks or Path(base.get("STAGEGATE_STACKS") or REPOSITORY / "stacks")
    kept = {name: value for name, value in base.items() if not name.startswith(("AWS_", "PULUMI_"))}
    path = [str(home.bin), str(Path(sys.executable).parent)]
    path += [entry for entry in base.get("PATH", os.defpath).split(os.pathsep) if entry not in path]
    local = ",".join(filter(None, (base.get("NO_PROXY") or base.get("no_proxy"), "127.0.0.1", "localhost")))
    return {
        **kept,
        "PATH": os.pathsep.join(path),
        "NO_PROXY": local,
        "no_proxy": local,
        "STAGEGATE_SANDBOX": str(home.path),
        "STAGEGATE_STACKS": str(stacks.resolve()),
        "PULUMI_HOME": str(home.path / "pulumi"),
        "PULUMI_BACKEND_URL": f"file://{home.state}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(home.passphrase),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS": "true",
        **aws(home, stacks),
    }


def aws(home: Home, stacks: Path) -> dict[str, str]:
    """The variables of AWS's SDKs and command line; a user's own profiles are out of reach."""
    account, region = _default_account(stacks)
    variables = {
        "AWS_CONFIG_FILE": str(home.aws / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home.aws / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CA_BUNDLE": str(home.aws / "ca.pem"),
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ACCESS_KEY_ID": OPERATOR + account,
    }
    if address := endpoint(home):
        variables["AWS_ENDPOINT_URL"] = address
    secret = home.aws / "operator-secret"
    if secret.is_file():
        variables["AWS_SECRET_ACCESS_KEY"] = secret.read_text().strip()
    return variables


def endpoint(home: Home) -> str | None:
    """The address of AWS in the sandbox; None before its first start."""
    try:
        return f"https://127.0.0.1:{json.loads((home.aws / 'ports.json').read_text())['https']}"
    except FileNotFoundError:
        return None


def _default_account(stacks: Path) -> tuple[str, str]:
    file = stacks / "organization.yaml"
    try:
        environments = yaml.safe_load(file.read_text())["environments"]
        chosen = environments.get("dev") or next(iter(environments.values()))
        return str(chosen["account"]), str(chosen["region"])
    except (OSError, yaml.YAMLError, LookupError, TypeError, AttributeError, StopIteration) as problem:
        raise SandboxError(
            f"no account to act in: {file} can't be used ({problem}); see `stagegate validate`"
        ) from None

"""Types that the embedded AWS has no API for: the provider keeps them, so that state stays true."""

import hashlib
import json
import os
import threading
from pathlib import Path

from sandbox.provider.clients import Aws
from sandbox.provider.kinds import Gone, Kind, Properties, Refused


def _file(aws: Aws, token: str, id: str) -> Path:
    name = hashlib.sha256(f"{aws.account}/{aws.region}/{token}/{id}".encode()).hexdigest()[:32]
    return Path(os.environ["STAGEGATE_SANDBOX"]) / "provider" / "recorded" / f"{name}.json"


def _write(aws: Aws, token: str, id: str, properties: Properties) -> None:
    file = _file(aws, token, id)
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(f".{threading.get_ident()}")
    unfinished.write_text(json.dumps({"token": token, "id": id, "properties": properties}))
    unfinished.replace(file)


def recorded(
    token: str,
    key: tuple[str, ...],
    *,
    replaces: tuple[str, ...] = (),
    name: str = "",
    arn: str = "",
    outputs: tuple[str, ...] = (),
) -> Kind:
    """A type known by the properties of `key`. `arn` is a template over the properties, as `service:resource/{name}`."""

    def identity(p: Properties) -> str:
        return ":".join(str(p[part]) for part in key)

    def computed(aws: Aws, p: Properties) -> Properties:
        found: Properties = {}
        if arn:
            service, resource = arn.split(":", 1)
            found["arn"] = aws.arn(service, resource.format(**p))
        if "associationId" in outputs:
            found["associationId"] = "a-" + hashlib.sha256(identity(p).encode()).hexdigest()[:17]
            found["associationArn"] = aws.arn(
                "eks", f"podidentityassociation/{p['clusterName']}/{found['associationId']}"
            )
        return found

    def create(aws: Aws, p: Properties) -> str:
        id = identity(p)
        if _file(aws, token, id).exists():
            raise Refused(f"{id} already exists")
        _write(aws, token, id, {**p, **computed(aws, p)})
        return id

    def read(aws: Aws, id: str, p: Properties) -> Properties:
        try:
            found: Properties = json.loads(_file(aws, token, id).read_text())["properties"]
        except FileNotFoundError:
            raise Gone from None
        return found

    def update(aws: Aws, id: str, old: Properties, new: Properties) -> None:
        read(aws, id, new)
        _write(aws, token, id, {**new, **computed(aws, new)})

    return Kind(
        token,
        create,
        read,
        lambda aws, id, p: _file(aws, token, id).unlink(missing_ok=True),
        update=update,
        replaces=(*key, *replaces),
        name=name,
        find=lambda aws, p: identity(p),
        outputs=(*(("arn",) if arn else ()), *outputs),
        recorded=True,
    )


KINDS = [
    recorded(
        "aws:eks/addon:Addon",
        ("clusterName", "addonName"),
        arn="eks:addon/{clusterName}/{addonName}",
        outputs=("addonVersion",),
    ),
    recorded(
        "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        ("clusterName", "namespace", "serviceAccount"),
        outputs=("associationId", "associationArn"),
    ),
    recorded("aws:eks/accessEntry:AccessEntry", ("clusterName", "principalArn"), outputs=("accessEntryArn",)),
    recorded("aws:eks/accessPolicyAssociation:AccessPolicyAssociation", ("clusterName", "principalArn", "policyArn")),
    recorded("aws:cloudwatch/compositeAlarm:CompositeAlarm", ("alarmName",), arn="cloudwatch:alarm:{alarmName}"),
]

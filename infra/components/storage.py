"""The five zones of a department: raw, curated, features, models and logs, each a bucket of its own."""

import pulumi

from infra import actions
from infra.access import Grant, KeyUse, Principal
from infra.components.base import Component
from infra.components.bucket import Bucket, Expiry
from infra.components.keys import Keys
from infra.naming import ACCESS_LOGS
from infra.policy import Statement
from infra.spec import StackDeclaration
from infra.spec.types import Zone as ZoneName


class Zone(Component):
    """One bucket, emptied as its data sets declare, and the verbs that roles may be granted on it."""

    def __init__(
        self, name: str, stack: StackDeclaration, zone: ZoneName, keys: Keys, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, stack, opts)
        self.zone = zone
        self.arn = self.names.bucket_arn(zone)
        self.bucket = Bucket(
            name,
            stack,
            self.names.bucket(zone),
            expiries=self._expiries(),
            key_arn=keys.arn,
            logs_to=self.names.platform.bucket(ACCESS_LOGS),
            opts=self.child(),
        )
        self.register_outputs({"bucket": self.bucket.id})

    def _expiries(self) -> list[Expiry]:
        """A data set or feature set lies below its name and goes after the retention declared for its source."""
        department = self.department
        expiries = [
            (data_set.name, f"{data_set.name}/", data_set.retention_days)
            for data_set in department.data_sets.values()
            if data_set.zone is self.zone
        ]
        if self.zone is ZoneName.FEATURES:
            expiries += [
                (f"features-{features.name}", f"{features.name}/", department.data_sets[features.source].retention_days)
                for features in department.features.values()
            ]
        if self.zone is ZoneName.LOGS:
            expiries.append(("logs", "", self.environment.log_retention_days))
        return expiries

    def grant_list(self, to: Principal) -> Grant:
        return self._grant(to, "list", Statement(actions.ZONE_LIST, (self.arn,)))

    def grant_read(self, to: Principal) -> Grant:
        return self._grant(
            to,
            "read",
            Statement(actions.ZONE_LIST, (self.arn,)),
            Statement(actions.OBJECT_READ, (f"{self.arn}/*",)),
            key=KeyUse(actions.KEY_DECRYPT, "s3"),
        )

    def grant_write(self, to: Principal) -> Grant:
        """Put and replace objects; never delete them."""
        return self._grant(
            to,
            "write",
            Statement(actions.OBJECT_WRITE, (f"{self.arn}/*",)),
            key=KeyUse(actions.KEY_ENCRYPT, "s3"),
        )

    def grant_put(self, to: Principal) -> Grant:
        """Put objects in one piece, without a look at what is there."""
        return self._grant(
            to,
            "put",
            Statement(actions.OBJECT_PUT, (f"{self.arn}/*",)),
            key=KeyUse(actions.KEY_ENCRYPT, "s3"),
        )

    def _grant(self, to: Principal, verb: str, *allows: Statement, key: KeyUse | None = None) -> Grant:
        return Grant(to, verb, f"zone {self.zone}", allows, key, self.zone)


class Storage(Component):
    def __init__(
        self, name: str, stack: StackDeclaration, keys: Keys, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, stack, opts)
        self.zones = {zone: Zone(f"{name}-{zone}", stack, zone, keys, self.child()) for zone in ZoneName}
        self.raw = self.zones[ZoneName.RAW]
        self.curated = self.zones[ZoneName.CURATED]
        self.features = self.zones[ZoneName.FEATURES]
        self.models_zone = self.zones[ZoneName.MODELS]
        self.logs = self.zones[ZoneName.LOGS]
        self.register_outputs({"buckets": {str(zone): self.names.bucket(zone) for zone in ZoneName}})

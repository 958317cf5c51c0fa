"""A department in one environment: its components in order, then who may do what."""

import pulumi

from infra.access import Access
from infra.components.alarms import Alarms
from infra.components.base import Component
from infra.components.budget import Budget
from infra.components.dashboards import Dashboards
from infra.components.features import Features
from infra.components.identity import Identity
from infra.components.keys import Keys
from infra.components.observability import LogGroups, Logs, Topics
from infra.components.permissions import Permissions
from infra.components.registry import Registry
from infra.components.storage import Storage
from infra.naming import Names
from infra.spec import StackDeclaration
from infra.spec.types import Persona, Workload


class Department(Component):
    def __init__(
        self,
        name: str,
        stack: StackDeclaration,
        cluster_name: pulumi.Input[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, stack, opts)
        child = self.child()
        self.identity = Identity(name, stack, cluster_name, child)
        self.keys = Keys(name, stack, child)
        self.storage = Storage(name, stack, self.keys, child)
        self.registry = Registry(name, stack, self.keys, child)
        self.features = Features(name, stack, self.keys, child)
        self.topics = Topics(name, stack, self.keys, child)
        self.alarms = Alarms(name, stack, self.topics, child)
        self.dashboards = Dashboards(name, stack, child)
        self.budget = Budget(name, stack, self.topics, child)
        self.logs = Logs(self.names)
        self.access = self._access()
        self.permissions = Permissions(name, stack, self.access, self.identity, self.keys, self.storage, child)
        LogGroups(name, stack, self.keys, self.permissions.key_policy, child)
        self.outputs = _outputs(self.names)
        self.register_outputs(self.outputs)

    def _access(self) -> Access:
        """Who may do what. Nothing else is allowed: roles start with nothing."""
        data, images, features = self.storage, self.registry, self.features
        topics, alarms, dashboards, logs = self.topics, self.alarms, self.dashboards, self.logs
        access = Access(self.names)

        access.add(
            images.grant_pull(Persona.DATA_SCIENTIST),
            images.grant_view(Persona.DATA_SCIENTIST),
            logs.grant_read_models(Persona.DATA_SCIENTIST),
            dashboards.grant_view(Persona.DATA_SCIENTIST),
        )
        access.add(
            data.features.grant_read(Persona.ML_ENGINEER),
            data.models_zone.grant_read(Persona.ML_ENGINEER),
            images.grant_pull(Persona.ML_ENGINEER),
            images.grant_view(Persona.ML_ENGINEER),
            logs.grant_read_all(Persona.ML_ENGINEER),
            dashboards.grant_view(Persona.ML_ENGINEER),
        )
        # People come near personal data only where it isn't the production's.
        if not self.names.production:
            access.add(
                data.curated.grant_read(Persona.DATA_SCIENTIST),
                data.features.grant_read(Persona.DATA_SCIENTIST),
                data.models_zone.grant_read(Persona.DATA_SCIENTIST),
                features.grant_read_offline(Persona.DATA_SCIENTIST),
                features.grant_read_online(Persona.DATA_SCIENTIST),
                data.curated.grant_read(Persona.ML_ENGINEER),
                data.models_zone.grant_write(Persona.ML_ENGINEER),
            )
        access.add(
            data.models_zone.grant_read(Persona.REVIEWER),
            images.grant_pull(Persona.REVIEWER),
            images.grant_approve(Persona.REVIEWER),
            logs.grant_read_models(Persona.REVIEWER),
            dashboards.grant_view(Persona.REVIEWER),
        )
        access.add(
            *(zone.grant_list(Persona.AUDITOR) for zone in data.zones.values() if zone is not data.logs),
            data.logs.grant_read(Persona.AUDITOR),
            images.grant_view(Persona.AUDITOR),
            logs.grant_read_all(Persona.AUDITOR),
            dashboards.grant_view(Persona.AUDITOR),
        )
        access.add(
            topics.grant_subscribe(Persona.OPERATOR),
            alarms.grant_silence(Persona.OPERATOR),
            logs.grant_read_all(Persona.OPERATOR),
            dashboards.grant_view(Persona.OPERATOR),
        )
        access.add(
            data.curated.grant_read(Workload.TRAINING),
            data.features.grant_read(Workload.TRAINING),
            features.grant_read_offline(Workload.TRAINING),
            data.models_zone.grant_write(Workload.TRAINING),
            logs.grant_write_own(Workload.TRAINING),
        )
        access.add(
            data.raw.grant_read(Workload.PIPELINE),
            data.raw.grant_write(Workload.PIPELINE),
            data.curated.grant_read(Workload.PIPELINE),
            data.curated.grant_write(Workload.PIPELINE),
            data.features.grant_read(Workload.PIPELINE),
            data.features.grant_write(Workload.PIPELINE),
            features.grant_write_offline(Workload.PIPELINE),
            features.grant_write_online(Workload.PIPELINE),
            images.grant_register(Workload.PIPELINE),
            topics.grant_publish(Workload.PIPELINE),
            logs.grant_write_own(Workload.PIPELINE),
        )
        access.add(
            data.models_zone.grant_read(Workload.SERVING),
            features.grant_read_online(Workload.SERVING),
            images.grant_pull(Workload.SERVING),
            data.logs.grant_put(Workload.SERVING),
            logs.grant_write_own(Workload.SERVING),
            logs.grant_write_models(Workload.SERVING),
        )
        if Workload.CI in self.identity.roles:
            access.add(
                images.grant_push(Workload.CI),
                images.grant_register(Workload.CI),
                data.models_zone.grant_read(Workload.CI),
            )
        return access


def _outputs(names: Names) -> dict[str, str]:
    return {
        "department": names.part,
        "environment": names.environment,
        "keyAlias": names.key_alias,
        "catalogDatabase": names.catalog_database,
        "dashboard": names.dashboard(),
        "namespace": names.namespace,
    }

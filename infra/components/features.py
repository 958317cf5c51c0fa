"""Feature sets: one definition gives the offline table over the features zone and the online table."""

import pulumi
import pulumi_aws as aws

from infra import actions
from infra.access import Grant, KeyUse, Principal
from infra.components.base import Component
from infra.components.keys import Keys
from infra.policy import Statement
from infra.spec import StackDeclaration
from infra.spec.department import FeatureSet
from infra.spec.types import ColumnType, Zone

NUMBERS = {ColumnType.INT, ColumnType.BIGINT, ColumnType.FLOAT, ColumnType.DOUBLE}
EXPIRES_AT = "expires_at"
PARTITION = "day"
PARQUET_INPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
PARQUET_OUTPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"


class Features(Component):
    def __init__(
        self, name: str, stack: StackDeclaration, keys: Keys, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, stack, opts)
        database = self.names.catalog_database
        self.database = aws.glue.CatalogDatabase(
            name,
            name=database,
            catalog_id=self.names.account,
            description=f"Feature sets of {self.names.prefix}",
            tags=self.names.tags(database),
            opts=self.child(**self.kept),
        )
        for features in self.department.features.values():
            self._offline(features)
            self._online(features, keys)
        self.register_outputs({"database": database})

    def _offline(self, features: FeatureSet) -> None:
        aws.glue.CatalogTable(
            f"{self.name}-{features.name}",
            name=features.name,
            catalog_id=self.names.account,
            database_name=self.database.name,
            description=features.description,
            owner=features.owner,
            table_type="EXTERNAL_TABLE",
            parameters={
                "classification": "parquet",
                "entity": features.entity,
                "event_time": features.event_time,
                "online_table": self.names.online_table(features.name),
                "ttl_days": str(features.ttl_days),
            },
            partition_keys=[{"name": PARTITION, "type": "date"}],
            storage_descriptor={
                "location": f"s3://{self.names.bucket(Zone.FEATURES)}/{features.name}/",
                "columns": [{"name": column, "type": str(kind)} for column, kind in features.columns.items()],
                "ser_de_info": {"serialization_library": PARQUET_SERDE},
                "input_format": PARQUET_INPUT,
                "output_format": PARQUET_OUTPUT,
            },
            opts=self.child(**self.kept),
        )

    def _online(self, features: FeatureSet, keys: Keys) -> None:
        """Only the key is typed: DynamoDB rows carry the other columns as they come."""
        table = self.names.online_table(features.name)
        kind = "N" if features.columns[features.entity] in NUMBERS else "S"
        aws.dynamodb.Table(
            f"{self.name}-{features.name}",
            name=table,
            billing_mode="PAY_PER_REQUEST",
            hash_key=features.entity,
            attributes=[{"name": features.entity, "type": kind}],
            ttl={"attribute_name": EXPIRES_AT, "enabled": True},
            point_in_time_recovery={"enabled": True},
            server_side_encryption={"enabled": True, "kms_key_arn": keys.arn},
            deletion_protection_enabled=self.names.production,
            tags=self.names.tags(table),
            opts=self.child(**self.kept),
        )

    def grant_read_offline(self, to: Principal) -> list[Grant]:
        return [
            Grant(
                to,
                "read",
                f"offline features {features}",
                (Statement(actions.OFFLINE_READ, self.names.catalog_arns(features)),),
            )
            for features in self.department.features
        ]

    def grant_write_offline(self, to: Principal) -> list[Grant]:
        """Read, and add or change partitions; never drop them."""
        both = (*actions.OFFLINE_READ, *actions.OFFLINE_WRITE)
        return [
            Grant(to, "write", f"offline features {features}", (Statement(both, self.names.catalog_arns(features)),))
            for features in self.department.features
        ]

    def grant_read_online(self, to: Principal) -> list[Grant]:
        return self._rows(to, "read", actions.ONLINE_READ, actions.KEY_DECRYPT)

    def grant_write_online(self, to: Principal) -> list[Grant]:
        """Put and change rows; they go by their time to live."""
        return self._rows(to, "write", actions.ONLINE_WRITE, actions.KEY_ENCRYPT)

    def _rows(self, to: Principal, verb: str, allowed: tuple[str, ...], key: tuple[str, ...]) -> list[Grant]:
        return [
            Grant(
                to,
                verb,
                f"online features {features}",
                (Statement(allowed, (self.names.online_table_arn(features),)),),
                KeyUse(key, "dynamodb"),
            )
            for features in self.department.features
        ]

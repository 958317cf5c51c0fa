"""The platform's keys: one for logs and audit records, one for the cluster's secrets."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra import actions
from infra.components.base import Component
from infra.naming import Names
from infra.policy import Statement, document
from infra.spec import StackDeclaration

ANY = ("*",)


def _administration(names: Names) -> Statement:
    return Statement(actions.KEY_ADMINISTER, ANY, sid="Administer", principals={"AWS": [names.account_root]})


def records_policy(names: Names) -> str:
    """CloudWatch Logs may encrypt the platform's and the cluster's log groups, CloudTrail this trail's records."""
    groups = [names.log_group_arn(f"/stagegate/{names.prefix}/*"), names.log_group_arn(f"/aws/eks/{names.cluster}/*")]
    return document(
        [
            _administration(names),
            Statement(
                actions.KEY_SERVICE,
                ANY,
                sid="EncryptLogs",
                principals={"Service": [f"logs.{names.region}.amazonaws.com"]},
                conditions={"StringLike": {"kms:EncryptionContext:aws:logs:arn": groups}},
            ),
            Statement(
                actions.KEY_TRAIL,
                ANY,
                sid="EncryptTrail",
                principals={"Service": ["cloudtrail.amazonaws.com"]},
                conditions={"ArnEquals": {"aws:SourceArn": names.arn("cloudtrail", f"trail/{names.prefix}")}},
            ),
        ],
        name=names.key_alias,
    )


def secrets_policy(names: Names) -> str:
    """The cluster's role uses the key, and EKS may make the grant that it keeps."""
    return document(
        [
            _administration(names),
            Statement(
                actions.KEY_CLUSTER,
                ANY,
                sid="EncryptSecrets",
                principals={"AWS": [names.role_arn("cluster")]},
            ),
            Statement(
                actions.KEY_DELEGATE,
                ANY,
                sid="DelegateToCluster",
                principals={"AWS": [names.account_root]},
                conditions={
                    "Bool": {"kms:GrantIsForAWSResource": "true"},
                    "StringEquals": {"kms:ViaService": f"eks.{names.region}.amazonaws.com"},
                },
            ),
        ],
        name=f"{names.key_alias}-secrets",
    )


class PlatformKey(Component):
    """`after` are the roles that the policy names: KMS refuses one that doesn't exist yet."""

    def __init__(
        self,
        name: str,
        stack: StackDeclaration,
        purpose: str,
        policy: str,
        *,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, stack, opts)
        physical = f"{self.names.prefix}-{purpose}"
        self.key = aws.kms.Key(
            name,
            description=f"{purpose} of {self.names.prefix}",
            enable_key_rotation=True,
            rotation_period_in_days=365,
            deletion_window_in_days=30 if self.names.production else 7,
            policy=policy,
            tags=self.names.tags(physical),
            opts=self.child(depends_on=[*after], **self.kept),
        )
        aws.kms.Alias(name, name=f"alias/{physical}", target_key_id=self.key.key_id, opts=self.child())
        self.arn = self.key.arn
        self.register_outputs({"arn": self.arn})

"""What the Access block comes to: a policy for each role, for each bucket and for the key."""

import pulumi
import pulumi_aws as aws

from infra.access import Access
from infra.components.base import Component
from infra.components.identity import Identity
from infra.components.keys import Keys
from infra.components.storage import Storage
from infra.spec import StackDeclaration

GRANTED = "granted"


class Permissions(Component):
    def __init__(
        self,
        name: str,
        stack: StackDeclaration,
        access: Access,
        identity: Identity,
        keys: Keys,
        storage: Storage,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, stack, opts)
        for principal, role in identity.roles.items():
            policy = access.role_policy(principal)
            granted = []
            if policy:
                granted.append(
                    aws.iam.RolePolicy(
                        f"{name}-{principal}", name=GRANTED, role=role.name, policy=policy, opts=self.child()
                    )
                )
            # Whatever else is put on a role, by whomever, goes with the next update.
            aws.iam.RolePoliciesExclusive(
                f"{name}-{principal}",
                role_name=role.name,
                policy_names=[GRANTED] if granted else [],
                opts=self.child(depends_on=granted),
            )
            aws.iam.RolePolicyAttachmentsExclusive(
                f"{name}-{principal}", role_name=role.name, policy_arns=[], opts=self.child()
            )
        roles = list(identity.roles.values())
        # KMS and S3 refuse a policy that names a role before it exists.
        self.key_policy = aws.kms.KeyPolicy(
            name, key_id=keys.key.key_id, policy=access.key_policy(), opts=self.child(depends_on=roles)
        )
        for zone in storage.zones.values():
            aws.s3.BucketPolicy(
                f"{name}-{zone.zone}",
                bucket=zone.bucket.id,
                policy=access.bucket_policy(zone.zone),
                opts=self.child(depends_on=[zone.bucket.access_block, *roles]),
            )
        self.register_outputs({})

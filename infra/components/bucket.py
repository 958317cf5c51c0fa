"""A private bucket, as all buckets here are: no public access, no ACLs, versioned, encrypted, tidied."""

from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.spec import StackDeclaration

NONCURRENT_DAYS = 30
ABANDONED_UPLOAD_DAYS = 7
Expiry = tuple[str, str, int]


class Bucket(Component):
    """`key_arn` is the default key; without one S3's own encryption holds, for targets that can't take another.

    `expiries` are (rule, prefix, days); `logs_to` is the bucket that receives access logs.
    """

    def __init__(
        self,
        name: str,
        stack: StackDeclaration,
        physical: str,
        *,
        expiries: Sequence[Expiry],
        key_arn: pulumi.Input[str] | None = None,
        logs_to: pulumi.Input[str] | None = None,
        object_lock: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, stack, opts)
        self.physical = physical
        self.bucket = aws.s3.Bucket(
            name,
            bucket=physical,
            force_destroy=not self.names.production,
            object_lock_enabled=object_lock,
            tags=self.names.tags(physical),
            opts=self.child(**self.kept),
        )
        self.id = self.bucket.id
        aws.s3.BucketOwnershipControls(
            name, bucket=self.id, rule={"object_ownership": "BucketOwnerEnforced"}, opts=self.child()
        )
        self.access_block = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=self.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self.child(),
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=self.id,
            rules=[
                {
                    "apply_server_side_encryption_by_default": {
                        "sse_algorithm": "aws:kms",
                        "kms_master_key_id": key_arn,
                    },
                    "bucket_key_enabled": True,
                }
                if key_arn is not None
                else {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
            ],
            opts=self.child(),
        )
        self.versioning = aws.s3.BucketVersioning(
            name, bucket=self.id, versioning_configuration={"status": "Enabled"}, opts=self.child()
        )
        if logs_to is not None:
            aws.s3.BucketLogging(
                name, bucket=self.id, target_bucket=logs_to, target_prefix=f"{physical}/", opts=self.child()
            )
        aws.s3.BucketLifecycleConfiguration(
            name, bucket=self.id, rules=_lifecycle(expiries), opts=self.child(depends_on=[self.versioning])
        )
        self.register_outputs({"bucket": self.id})


def _lifecycle(expiries: Sequence[Expiry]) -> list[aws.s3.BucketLifecycleConfigurationRuleArgsDict]:
    housekeeping: aws.s3.BucketLifecycleConfigurationRuleArgsDict = {
        "id": "housekeeping",
        "status": "Enabled",
        "filter": {"prefix": ""},
        "noncurrent_version_expiration": {"noncurrent_days": NONCURRENT_DAYS},
        "abort_incomplete_multipart_upload": {"days_after_initiation": ABANDONED_UPLOAD_DAYS},
    }
    return [
        housekeeping,
        *(
            aws.s3.BucketLifecycleConfigurationRuleArgsDict(
                id=rule, status="Enabled", filter={"prefix": prefix}, expiration={"days": days}
            )
            for rule, prefix, days in expiries
        ),
    ]

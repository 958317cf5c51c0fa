"""Who touched what: a trail over the account and all department buckets, into records that can't be changed."""

import pulumi
import pulumi_aws as aws

from infra import actions
from infra.components.base import Component
from infra.components.bucket import Bucket
from infra.components.encryption import PlatformKey
from infra.naming import ACCESS_LOGS, AUDIT, department_names
from infra.policy import Statement, document
from infra.spec import StackDeclaration


class Audit(Component):
    def __init__(
        self, name: str, stack: StackDeclaration, records: PlatformKey, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, stack, opts)
        days = self.environment.audit_retention_days
        # Server access logs can't be delivered under a key of one's own (S3 user guide, "Enabling server access logging").
        self.access_logs = Bucket(
            f"{name}-{ACCESS_LOGS}",
            stack,
            self.names.bucket(ACCESS_LOGS),
            expiries=[("logs", "", days)],
            opts=self.child(),
        )
        deliverable = self._policy(self.access_logs, ACCESS_LOGS, [self._delivery()])
        self.audit = Bucket(
            f"{name}-{AUDIT}",
            stack,
            self.names.bucket(AUDIT),
            expiries=[("records", "", days + 1)],
            key_arn=records.arn,
            logs_to=deliverable.bucket,
            object_lock=True,
            opts=self.child(),
        )
        aws.s3.BucketObjectLockConfiguration(
            name,
            bucket=self.audit.id,
            rule={"default_retention": {"mode": "COMPLIANCE" if self.names.production else "GOVERNANCE", "days": days}},
            opts=self.child(depends_on=[self.audit.versioning]),
        )
        policy = self._policy(self.audit, AUDIT, self._trail_delivery())
        self.trail = aws.cloudtrail.Trail(
            name,
            name=self.names.prefix,
            s3_bucket_name=self.audit.id,
            kms_key_id=records.arn,
            is_multi_region_trail=True,
            include_global_service_events=True,
            enable_log_file_validation=True,
            enable_logging=True,
            advanced_event_selectors=self._selectors(),
            tags=self.names.tags(self.names.prefix),
            opts=self.child(depends_on=[policy], **self.kept),
        )
        self.register_outputs({"trail": self.trail.arn})

    def _policy(self, bucket: Bucket, purpose: str, allows: list[Statement]) -> aws.s3.BucketPolicy:
        arn = self.names.bucket_arn(purpose)
        tls = Statement(
            actions.ANY_S3, (arn, f"{arn}/*"), "Deny", "TlsOnly", "*", {"Bool": {"aws:SecureTransport": "false"}}
        )
        return aws.s3.BucketPolicy(
            f"{self.name}-{purpose}",
            bucket=bucket.id,
            policy=document([*allows, tls], name=bucket.physical),
            opts=self.child(depends_on=[bucket.access_block]),
        )

    def _delivery(self) -> Statement:
        return Statement(
            actions.OBJECT_PUT,
            (f"{self.names.bucket_arn(ACCESS_LOGS)}/*",),
            sid="AccessLogs",
            principals={"Service": ["logging.s3.amazonaws.com"]},
            conditions={
                "StringEquals": {"aws:SourceAccount": self.names.account},
                "ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{self.names.organization}-*"},
            },
        )

    def _trail_delivery(self) -> list[Statement]:
        arn = self.names.bucket_arn(AUDIT)
        trail = {"aws:SourceArn": self.names.arn("cloudtrail", f"trail/{self.names.prefix}")}
        service = {"Service": ["cloudtrail.amazonaws.com"]}
        return [
            Statement(
                actions.TRAIL_BUCKET,
                (arn,),
                sid="TrailSeesOwner",
                principals=service,
                conditions={"StringEquals": trail},
            ),
            Statement(
                actions.OBJECT_PUT,
                (f"{arn}/AWSLogs/{self.names.account}/*",),
                sid="TrailWrites",
                principals=service,
                conditions={"StringEquals": {**trail, "s3:x-amz-acl": "bucket-owner-full-control"}},
            ),
        ]

    def _selectors(self) -> list[aws.cloudtrail.TrailAdvancedEventSelectorArgsDict]:
        """All management events, and every read and write of an object in a department's bucket."""
        management: aws.cloudtrail.TrailAdvancedEventSelectorArgsDict = {
            "name": "management",
            "field_selectors": [{"field": "eventCategory", "equals": ["Management"]}],
        }
        prefixes = [
            f"arn:aws:s3:::{self.organization.organization}-{department_names(self.names, department).prefix}-"
            for department in self.stack.departments.values()
        ]
        if not prefixes:
            return [management]
        data: aws.cloudtrail.TrailAdvancedEventSelectorArgsDict = {
            "name": "department buckets",
            "field_selectors": [
                {"field": "eventCategory", "equals": ["Data"]},
                {"field": "resources.type", "equals": ["AWS::S3::Object"]},
                {"field": "resources.ARN", "starts_withs": prefixes},
            ],
        }
        return [management, data]

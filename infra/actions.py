"""The only file with IAM action names. A test refuses an action literal anywhere else, and any wildcard here.

Resource forms follow the Service Authorization Reference.
"""

ZONE_LIST = ("s3:ListBucket",)
OBJECT_READ = ("s3:GetObject", "s3:GetObjectVersion")
OBJECT_WRITE = ("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject")
OBJECT_PUT = ("s3:PutObject",)
# For Deny alone.
ANY_S3 = ("s3:*",)

OFFLINE_READ = ("glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable")
OFFLINE_WRITE = ("glue:BatchCreatePartition", "glue:CreatePartition", "glue:UpdatePartition")
ONLINE_READ = ("dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:GetItem", "dynamodb:Query")
ONLINE_WRITE = ("dynamodb:DescribeTable", "dynamodb:PutItem", "dynamodb:UpdateItem")

IMAGE_PULL = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:DescribeImages",
    "ecr:GetDownloadUrlForLayer",
)
IMAGE_PUSH = ("ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart")
# No resource-level form: the token opens nothing that the repository actions don't grant.
REGISTRY_SIGN_IN = ("ecr:GetAuthorizationToken",)

PACKAGE_GROUP_VIEW = ("sagemaker:DescribeModelPackageGroup",)
PACKAGE_VIEW = ("sagemaker:DescribeModelPackage", "sagemaker:ListModelPackages")
PACKAGE_REGISTER = ("sagemaker:CreateModelPackage",)
PACKAGE_APPROVE = ("sagemaker:UpdateModelPackage",)

LOG_READ = (
    "logs:DescribeLogStreams",
    "logs:FilterLogEvents",
    "logs:GetLogEvents",
    "logs:GetQueryResults",
    "logs:StartQuery",
)
LOG_WRITE = ("logs:CreateLogStream", "logs:PutLogEvents")

TOPIC_PUBLISH = ("sns:Publish",)
TOPIC_SUBSCRIBE = ("sns:Subscribe",)

DASHBOARD_VIEW = ("cloudwatch:GetDashboard",)
# No resource-level form for metrics that aren't in a dataset.
METRIC_READ = ("cloudwatch:GetMetricData",)
ALARM_SILENCE = ("cloudwatch:DescribeAlarms", "cloudwatch:DisableAlarmActions", "cloudwatch:EnableAlarmActions")

KEY_DECRYPT = ("kms:Decrypt",)
KEY_ENCRYPT = ("kms:Decrypt", "kms:GenerateDataKey")
KEY_SERVICE = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo")
KEY_CLUSTER = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")
KEY_DELEGATE = ("kms:CreateGrant",)
# Everything an administrator of the key needs, and no use of it.
KEY_ADMINISTER = (
    "kms:CancelKeyDeletion",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:DescribeKey",
    "kms:DisableKey",
    "kms:EnableKey",
    "kms:EnableKeyRotation",
    "kms:GetKeyPolicy",
    "kms:GetKeyRotationStatus",
    "kms:ListGrants",
    "kms:ListKeyPolicies",
    "kms:ListResourceTags",
    "kms:PutKeyPolicy",
    "kms:RevokeGrant",
    "kms:ScheduleKeyDeletion",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:UpdateAlias",
    "kms:UpdateKeyDescription",
)

# The trail writes its records, and reads who owns the bucket first.
TRAIL_BUCKET = ("s3:GetBucketAcl",)
KEY_TRAIL = ("kms:DescribeKey", "kms:GenerateDataKey")

ASSUME = ("sts:AssumeRole",)
ASSUME_WITH_SAML = ("sts:AssumeRoleWithSAML",)
ASSUME_WITH_WEB_IDENTITY = ("sts:AssumeRoleWithWebIdentity",)
TAG_SESSION = ("sts:TagSession",)

# For Deny alone: what would let a role leave its boundary, widen itself, take on another role, open a bucket or the key,
# or take its account out of the organisation. Whole services, so that what AWS adds to them is denied too.
ESCAPE = (
    "account:*",
    "iam:*",
    "kms:CreateGrant",
    "kms:PutKeyPolicy",
    "organizations:*",
    "s3:DeleteBucketPolicy",
    "s3:PutBucketPolicy",
    "sts:AssumeRole",
)

# All that the boundary lets any role of a department do, by the resources that it may be done to.
ALL_ZONE = ZONE_LIST
ALL_OBJECT = (*OBJECT_READ, *OBJECT_WRITE)
ALL_FEATURES = (*OFFLINE_READ, *OFFLINE_WRITE)
ALL_ONLINE = tuple(sorted({*ONLINE_READ, *ONLINE_WRITE}))
ALL_IMAGES = (*IMAGE_PULL, *IMAGE_PUSH)
ALL_PACKAGES = (*PACKAGE_GROUP_VIEW, *PACKAGE_VIEW, *PACKAGE_REGISTER, *PACKAGE_APPROVE)
ALL_LOGS = (*LOG_READ, *LOG_WRITE)
ALL_TOPICS = (*TOPIC_PUBLISH, *TOPIC_SUBSCRIBE)
ALL_ANYWHERE = (*REGISTRY_SIGN_IN, *METRIC_READ)
# What no statement can name a resource for; every other Allow has to name one.
WITHOUT_RESOURCE = frozenset(ALL_ANYWHERE)
# For Deny alone.
ANYTHING = ("*",)

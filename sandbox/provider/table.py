"""All resource types that the sandbox provisions."""

from sandbox.provider import data, ec2, iam, recorded, s3, watching
from sandbox.provider.kinds import Kind

KINDS: dict[str, Kind] = {
    kind.token: kind for module in (s3, iam, ec2, watching, data, recorded) for kind in module.KINDS
}

"""The sandbox's AWS plugin: a table of resource types over boto3."""


def recorded_types() -> list[str]:
    """Types that the embedded AWS has no API for, and that the provider only records."""
    from sandbox.provider.table import KINDS

    return sorted(kind.token for kind in KINDS.values() if kind.recorded)

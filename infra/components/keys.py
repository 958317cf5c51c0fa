"""The department's key. Its policy, which alone grants its use, is rendered by the Access block."""

import pulumi
import pulumi_aws as aws

from infra.components.base import Component
from infra.spec import StackDeclaration

DELETION_WINDOW_DAYS = 30


class Keys(Component):
    def __init__(self, name: str, stack: StackDeclaration, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, stack, opts)
        self.key = aws.kms.Key(
            name,
            description=f"Data of {self.names.prefix}",
            enable_key_rotation=True,
            rotation_period_in_days=365,
            deletion_window_in_days=DELETION_WINDOW_DAYS if self.names.production else 7,
            tags=self.names.tags(self.names.prefix),
            opts=self.child(**self.kept),
        )
        self.alias = aws.kms.Alias(name, name=self.names.key_alias, target_key_id=self.key.key_id, opts=self.child())
        self.arn = self.key.arn
        self.register_outputs({"arn": self.arn})

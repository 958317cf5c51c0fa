"""What every component of a stack is given, and the options of its children."""

from collections.abc import Mapping
from typing import Any

import pulumi

from infra.naming import Names
from infra.spec import Department, Environment, Model, Organization, StackDeclaration


class Component(pulumi.ComponentResource):
    """A group of resources. Children take their logical name from `name` and their physical one from `names`."""

    def __init__(self, name: str, stack: StackDeclaration, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(f"stagegate:index:{type(self).__name__}", name, None, opts)
        self.name = name
        self.stack = stack
        self.names = Names.of(stack)

    @property
    def organization(self) -> Organization:
        return self.stack.organization

    @property
    def environment(self) -> Environment:
        return self.stack.environment

    @property
    def department(self) -> Department:
        assert self.stack.department is not None, "a component of a department in the platform's stack"
        return self.stack.department

    @property
    def models(self) -> Mapping[str, Model]:
        return self.stack.models

    def child(self, **options: Any) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, **options)

    @property
    def kept(self) -> dict[str, bool]:
        """Options of what holds data: production refuses to delete it."""
        return {"protect": True} if self.names.production else {}

"""From the name of a stack to its resources and outputs."""

from pathlib import Path

import pulumi
import pulumi_aws as aws

from infra.department import Department
from infra.naming import Names
from infra.platform import Platform
from infra.policy import PolicyTooLong
from infra.spec import PLATFORM, DeclarationError, StackDeclaration, UnknownStack, load

ROOT = Path(__file__).parents[1]


def build() -> None:
    """Build the stack that Pulumi runs. Raises pulumi.RunError for declarations that can't be used."""
    folder = pulumi.Config().get("stacks") or "stacks"
    try:
        built = compose(load(ROOT / folder).stack(pulumi.get_stack()))
    except (DeclarationError, UnknownStack, PolicyTooLong) as error:
        raise pulumi.RunError(str(error)) from None
    for name, value in built.outputs.items():
        pulumi.export(name, value)


def compose(stack: StackDeclaration) -> Platform | Department:
    """Register all resources of a stack."""
    names = Names.of(stack)
    provider = aws.Provider(names.prefix, region=names.region, allowed_account_ids=[names.account])
    opts = pulumi.ResourceOptions(providers={"aws": provider})
    if stack.department is None:
        return Platform(names.prefix, stack, opts)
    platform = pulumi.StackReference(
        f"{pulumi.get_organization()}/{pulumi.get_project()}/{PLATFORM}-{names.environment}"
    )
    return Department(names.prefix, stack, platform.require_output("clusterName"), opts)

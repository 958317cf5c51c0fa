"""The only schema of what departments declare. Nothing here knows Pulumi."""

from infra.spec.department import Department
from infra.spec.load import PLATFORM, Declarations, StackDeclaration, UnknownStack, load
from infra.spec.model import Model
from infra.spec.organization import Environment, Organization
from infra.spec.problems import DeclarationError, Problem

__all__ = [
    "PLATFORM",
    "DeclarationError",
    "Declarations",
    "Department",
    "Environment",
    "Model",
    "Organization",
    "Problem",
    "StackDeclaration",
    "UnknownStack",
    "load",
]

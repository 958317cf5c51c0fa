"""Effective permissions: may this principal do this, and which statement says so?

Pure logic after "Policy evaluation logic" of the AWS IAM User Guide: no calls, no files, no clock.
"""

from stagegate.evaluator.engine import evaluate
from stagegate.evaluator.model import (
    Decision,
    Layer,
    Policies,
    Policy,
    PolicyError,
    Principal,
    PrincipalKind,
    Reason,
    Request,
)

__all__ = [
    "Decision",
    "Layer",
    "Policies",
    "Policy",
    "PolicyError",
    "Principal",
    "PrincipalKind",
    "Reason",
    "Request",
    "evaluate",
]

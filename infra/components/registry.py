"""A model's image repository and its model packages."""

import json

import pulumi
import pulumi_aws as aws

from infra import actions
from infra.access import Grant, Principal
from infra.components.base import Component
from infra.components.keys import Keys
from infra.policy import Statement
from infra.spec import Model, StackDeclaration


class Registry(Component):
    """For each model: a repository with immutable tags that scans what is pushed, and a model package group.

    Grants are on those of all the department's models: a role's policy has to fit its quota however many there are.
    """

    def __init__(
        self, name: str, stack: StackDeclaration, keys: Keys, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(name, stack, opts)
        for model in self.models.values():
            self._model(model, keys)
        self.register_outputs(
            {"repositories": {model.name: self.names.repository(model) for model in self.models.values()}}
        )

    def _model(self, model: Model, keys: Keys) -> None:
        repository_name, group = self.names.repository(model), self.names.package_group(model)
        repository = aws.ecr.Repository(
            f"{self.name}-{model.name}",
            name=repository_name,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": keys.arn}],
            force_delete=not self.names.production,
            tags=self.names.tags(repository_name, model),
            opts=self.child(**self.kept),
        )
        aws.ecr.LifecyclePolicy(
            f"{self.name}-{model.name}",
            repository=repository.name,
            policy=json.dumps({"rules": [self._keep_newest()]}, separators=(",", ":")),
            opts=self.child(),
        )
        aws.sagemaker.ModelPackageGroup(
            f"{self.name}-{model.name}",
            model_package_group_name=group,
            model_package_group_description=model.title,
            tags=self.names.tags(group, model),
            opts=self.child(**self.kept),
        )

    def _keep_newest(self) -> dict[str, object]:
        count = self.organization.defaults.image_retention_count
        return {
            "rulePriority": 1,
            "description": f"keep the newest {count}",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count},
            "action": {"type": "expire"},
        }

    def grant_pull(self, to: Principal) -> Grant:
        return self._images(to, "pull", actions.IMAGE_PULL)

    def grant_push(self, to: Principal) -> Grant:
        return self._images(to, "push", (*actions.IMAGE_PULL, *actions.IMAGE_PUSH))

    def _images(self, to: Principal, verb: str, allowed: tuple[str, ...]) -> Grant:
        return Grant(
            to,
            verb,
            "images",
            (Statement(allowed, (self.names.repository_arns,)), Statement(actions.REGISTRY_SIGN_IN, ("*",))),
        )

    def grant_view(self, to: Principal) -> Grant:
        return self._packages(to, "view")

    def grant_register(self, to: Principal) -> Grant:
        """Add versions to the package groups, and see them. Who registers a version can't approve it on the way in."""
        register = Statement(
            actions.PACKAGE_REGISTER,
            (self.names.package_group_arns, self.names.package_arns),
            conditions={"StringEqualsIfExists": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}},
        )
        return self._packages(to, "register", register)

    def grant_approve(self, to: Principal) -> Grant:
        """Set the approval status of versions, and see them."""
        return self._packages(to, "approve", Statement(actions.PACKAGE_APPROVE, (self.names.package_arns,)))

    def _packages(self, to: Principal, verb: str, *more: Statement) -> Grant:
        groups, versions = self.names.package_group_arns, self.names.package_arns
        view = (
            Statement(actions.PACKAGE_GROUP_VIEW, (groups,)),
            Statement(actions.PACKAGE_VIEW, (groups, versions)),
        )
        return Grant(to, verb, "model packages", (*view, *more))

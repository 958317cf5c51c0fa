"""Every physical name, ARN and tag, from one value object.

They are plain strings that follow from the declarations alone: a preview of a stack that doesn't exist yet shows every
policy in full, and nothing has to be looked up.
"""

from dataclasses import dataclass

from infra.spec import PLATFORM, Department, Model, StackDeclaration
from infra.spec.types import Persona, Stage, Workload, Zone

PLATFORM_COST_CENTRE = "platform"
# The platform's own buckets.
AUDIT = "audit"
ACCESS_LOGS = "access-logs"


@dataclass(frozen=True)
class Names:
    """Names of one stack: a department (or the platform) in one environment, account and region."""

    organization: str
    part: str
    environment: str
    account: str
    region: str
    owner: str
    cost_centre: str
    classification: str

    @classmethod
    def of(cls, stack: StackDeclaration) -> "Names":
        department = stack.department
        return cls(
            organization=stack.organization.organization,
            part=department.name if department else PLATFORM,
            environment=str(stack.environment_name),
            account=stack.environment.account,
            region=stack.environment.region,
            owner=department.owner if department else stack.organization.committee.chair,
            cost_centre=department.cost_centre if department else PLATFORM_COST_CENTRE,
            classification=str(department.classification) if department else "internal",
        )

    @property
    def platform(self) -> "Names":
        """The names of the platform that this stack stands on."""
        return Names(
            self.organization,
            PLATFORM,
            self.environment,
            self.account,
            self.region,
            self.owner,
            PLATFORM_COST_CENTRE,
            "internal",
        )

    @property
    def prefix(self) -> str:
        return f"{self.part}-{self.environment}"

    @property
    def production(self) -> bool:
        return self.environment == "prod"

    def tags(self, name: str, model: Model | None = None) -> dict[str, str]:
        tags = {
            "Name": name,
            "organization": self.organization,
            "department": self.part,
            "environment": self.environment,
            "owner": model.owner if model else self.owner,
            "cost-centre": self.cost_centre,
            "classification": self.classification,
            "managed-by": "stagegate",
        }
        if model is None:
            return tags
        # The safe-to-fail budget counts what carries its tag: experiments, which prototypes are.
        experiment = {"safe-to-fail": self.part} if model.stage is Stage.PROTOTYPE else {}
        return {**tags, "model": model.name, **experiment}

    def arn(self, service: str, resource: str, *, region: str | None = None, account: str | None = None) -> str:
        region = self.region if region is None else region
        account = self.account if account is None else account
        return f"arn:aws:{service}:{region}:{account}:{resource}"

    @property
    def account_root(self) -> str:
        return self.arn("iam", "root", region="")

    def bucket(self, zone: Zone | str) -> str:
        return f"{self.organization}-{self.prefix}-{zone}"

    def bucket_arn(self, zone: Zone | str) -> str:
        return f"arn:aws:s3:::{self.bucket(zone)}"

    @property
    def key_alias(self) -> str:
        return f"alias/{self.prefix}"

    def role(self, who: Persona | Workload | str) -> str:
        return f"{self.prefix}-{who}"

    def role_arn(self, who: Persona | Workload | str) -> str:
        return self.arn("iam", f"role/{self.role(who)}", region="")

    @property
    def boundary(self) -> str:
        return f"{self.prefix}-boundary"

    @property
    def boundary_arn(self) -> str:
        return self.arn("iam", f"policy/{self.boundary}", region="")

    def repository(self, model: Model) -> str:
        return f"{self.prefix}/{model.image_repository}"

    @property
    def repository_arns(self) -> str:
        return self.arn("ecr", f"repository/{self.prefix}/*")

    def package_group(self, model: Model) -> str:
        return f"{self.prefix}-{model.name}"

    @property
    def package_group_arns(self) -> str:
        return self.arn("sagemaker", f"model-package-group/{self.prefix}-*")

    @property
    def package_arns(self) -> str:
        """All versions in the package groups."""
        return self.arn("sagemaker", f"model-package/{self.prefix}-*")

    @property
    def catalog_database(self) -> str:
        return self.prefix.replace("-", "_")

    def catalog_arns(self, table: str) -> tuple[str, str, str]:
        """Glue judges a table's actions on the catalogue, the database and the table."""
        return (
            self.arn("glue", "catalog"),
            self.arn("glue", f"database/{self.catalog_database}"),
            self.arn("glue", f"table/{self.catalog_database}/{table}"),
        )

    def online_table(self, features: str) -> str:
        return f"{self.prefix}-{features}"

    def online_table_arn(self, features: str) -> str:
        return self.arn("dynamodb", f"table/{self.online_table(features)}")

    def workload_log_group(self, workload: Workload) -> str:
        return f"/stagegate/{self.prefix}/{workload}"

    def model_log_group(self, model: Model) -> str:
        return f"/stagegate/{self.prefix}/models/{model.name}"

    @property
    def log_groups(self) -> str:
        """All log groups of the department, as policies name them."""
        return f"/stagegate/{self.prefix}/*"

    @property
    def model_log_groups(self) -> str:
        return f"/stagegate/{self.prefix}/models/*"

    def log_group_arn(self, log_group: str) -> str:
        return self.arn("logs", f"log-group:{log_group}")

    def log_streams_arn(self, log_group: str) -> str:
        """A group with its streams: the form that policies need for all but tagging (CloudWatch Logs user guide)."""
        return f"{self.log_group_arn(log_group)}:*"

    def topic(self, level: str) -> str:
        return f"{self.prefix}-{level}"

    def topic_arn(self, level: str) -> str:
        return self.arn("sns", self.topic(level))

    def alarm(self, model: Model, what: str) -> str:
        return f"{self.prefix}-{model.name}-{what}"

    @property
    def alarm_arns(self) -> str:
        return self.arn("cloudwatch", f"alarm:{self.prefix}-*")

    def dashboard(self, model: Model | None = None) -> str:
        return f"{self.prefix}-{model.name}" if model else self.prefix

    @property
    def dashboard_arns(self) -> tuple[str, str]:
        """The department's own, and those of its models."""
        own = self.arn("cloudwatch", f"dashboard/{self.prefix}", region="")
        return own, f"{own}-*"

    @property
    def cluster(self) -> str:
        return self.platform.prefix

    @property
    def cluster_arn(self) -> str:
        return self.arn("eks", f"cluster/{self.cluster}")

    @property
    def namespace(self) -> str:
        """The Kubernetes namespace of the department's pods."""
        return self.part

    def saml_provider_arn(self, name: str) -> str:
        return self.arn("iam", f"saml-provider/{name}", region="")

    def oidc_provider_arn(self, issuer: str) -> str:
        return self.arn("iam", f"oidc-provider/{issuer}", region="")


def department_names(names: Names, department: Department) -> Names:
    """A department's names in the environment of `names`; the platform needs them to watch its buckets."""
    return Names(
        names.organization,
        department.name,
        names.environment,
        names.account,
        names.region,
        department.owner,
        department.cost_centre,
        str(department.classification),
    )

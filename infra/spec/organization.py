"""What all departments share: `stacks/organization.yaml`."""

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import Field, field_validator

from infra.spec.base import Declared, Fields
from infra.spec.types import Account, Email, EnvironmentName, Percent, Region, Slug, Text

# CloudWatch Logs accepts only these retentions, in days (PutRetentionPolicy).
LOG_RETENTION_DAYS = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)


class IdentityProvider(Fields):
    saml_provider: str = Field(
        pattern=r"^[\w.-]{1,128}$",
        description="Name of the SAML provider that the identity team keeps in every account.",
        examples=["northwind-sso"],
    )
    group_tag: str = Field(
        pattern=r"^[\w.:/=+@-]{1,128}$",
        description="Session tag in which the provider passes the directory group.",
        examples=["group"],
    )


class SourceControl(Fields):
    oidc_issuer: str = Field(
        pattern=r"^[a-z0-9.-]+\.[a-z]{2,}(/[\w./-]*)?$",
        description="Issuer of the tokens of build jobs, without scheme.",
        examples=["token.actions.githubusercontent.com"],
    )
    audience: Text = Field(description="Audience that the tokens name.", examples=["sts.amazonaws.com"])


class Environment(Fields):
    account: Account = Field(description="AWS account, 12 digits, quoted.", examples=["111111111111"])
    region: Region = Field(description="Region of the environment.", examples=["eu-central-1"])
    cidr: str = Field(description="Private IPv4 network of the VPC, /16 to /20.", examples=["10.16.0.0/16"])
    accelerated_nodes: bool = Field(description="Whether the cluster has nodes with accelerators.", examples=[False])
    log_retention_days: int = Field(
        description="Retention of logs, in days, one that CloudWatch Logs knows.", examples=[90]
    )
    audit_retention_days: int = Field(
        ge=1, le=3653, description="How long audit records are locked, in days.", examples=[365]
    )

    @field_validator("cidr")
    @classmethod
    def _private_network(cls, value: str) -> str:
        network = IPv4Network(value)
        if not (network.is_private and 16 <= network.prefixlen <= 20):
            raise ValueError(f"{value} is not a private network between /16 and /20")
        return value

    @field_validator("log_retention_days")
    @classmethod
    def _known_retention(cls, value: int) -> int:
        if value not in LOG_RETENTION_DAYS:
            raise ValueError(f"{value} is none of {', '.join(map(str, sorted(LOG_RETENTION_DAYS)))}")
        return value


class Committee(Fields):
    chair: Email = Field(description="Who leads the steering committee.", examples=["ines.okafor@northwind.example"])
    members: tuple[Email, ...] = Field(
        min_length=1, description="All members, the chair among them.", examples=[["ines.okafor@northwind.example"]]
    )
    meets: Annotated[str, Field(pattern="^(weekly|monthly|quarterly)$")] = Field(
        description="How often it meets: weekly, monthly or quarterly.", examples=["monthly"]
    )


class Defaults(Fields):
    budget_alerts_percent: tuple[Percent, ...] = Field(
        min_length=1,
        max_length=10,
        description="Shares of a budget that send an alert, rising, in percent.",
        examples=[[50, 80, 100]],
    )
    usd_per_eur: float = Field(
        gt=0, le=10, description="Rate at which budgets are kept: AWS wants them in US dollars.", examples=[1.1]
    )
    image_retention_count: int = Field(ge=1, le=1000, description="Images that each repository keeps.", examples=[30])


class Organization(Declared):
    organization: Slug = Field(description="Short name, first part of every bucket name.", examples=["northwind"])
    description: Text = Field(description="What the organisation is.", examples=["Northwind Insurance."])
    aws_organization_id: str = Field(
        pattern=r"^o-[a-z0-9]{10,32}$", description="Id of the AWS organisation.", examples=["o-northwind01"]
    )
    identity_provider: IdentityProvider = Field(
        description="Where people sign in.", examples=[{"saml_provider": "northwind-sso", "group_tag": "group"}]
    )
    source_control: SourceControl = Field(
        description="Where build jobs come from.",
        examples=[{"oidc_issuer": "token.actions.githubusercontent.com", "audience": "sts.amazonaws.com"}],
    )
    allowed_regions: tuple[Region, ...] = Field(
        min_length=1, description="Regions in which anything may exist.", examples=[["eu-central-1"]]
    )
    environments: dict[EnvironmentName, Environment] = Field(
        min_length=1, description="Environments and their accounts.", examples=[{"dev": {"account": "111111111111"}}]
    )
    frameworks: tuple[Slug, ...] = Field(
        (), description="Control frameworks in force.", examples=[["nist-ai-rmf", "soc-2"]]
    )
    committee: Committee = Field(
        description="The steering committee.",
        examples=[
            {"chair": "ines.okafor@northwind.example", "members": ["ines.okafor@northwind.example"], "meets": "monthly"}
        ],
    )
    runbooks: str = Field(
        pattern=r"^https://\S+[^/\s]$",
        description="Address below which runbooks stand.",
        examples=["https://runbooks.northwind.example"],
    )
    defaults: Defaults = Field(
        description="What departments needn't say.",
        examples=[{"budget_alerts_percent": [50, 80, 100], "usd_per_eur": 1.1, "image_retention_count": 30}],
    )

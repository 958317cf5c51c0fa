"""Who may assume a role: people through SAML, pods through Pod Identity, build jobs through OIDC."""

from infra import actions
from infra.naming import Names
from infra.policy import TRUST_LIMIT, Statement, document
from infra.spec import StackDeclaration
from infra.spec.types import Persona, Workload

SAML_AUDIENCE = "https://signin.aws.amazon.com/saml"


def persona(stack: StackDeclaration, names: Names, who: Persona) -> str:
    """People whom the identity provider passes in with one of the declared groups."""
    provider = stack.organization.identity_provider
    assert stack.department is not None
    federated = {"Federated": [names.saml_provider_arn(provider.saml_provider)]}
    group = {f"aws:RequestTag/{provider.group_tag}": stack.department.people[who]}
    return document(
        [
            Statement(
                actions.ASSUME_WITH_SAML,
                sid="SignIn",
                principals=federated,
                conditions={"StringEquals": {"SAML:aud": SAML_AUDIENCE, **group}},
            ),
            Statement(
                actions.TAG_SESSION,
                sid="PassGroup",
                principals=federated,
                conditions={
                    "StringEquals": group,
                    "ForAllValues:StringEquals": {"aws:TagKeys": provider.group_tag},
                },
            ),
        ],
        name=names.role(who),
        limit=TRUST_LIMIT,
    )


def pods(names: Names, who: Workload) -> str:
    """Pods of the department's namespace, under the workload's service account, on this environment's cluster."""
    return document(
        [
            Statement(
                (*actions.ASSUME, *actions.TAG_SESSION),
                sid="PodIdentity",
                principals={"Service": ["pods.eks.amazonaws.com"]},
                conditions={
                    "StringEquals": {
                        "aws:SourceAccount": names.account,
                        "aws:RequestTag/kubernetes-namespace": names.namespace,
                        "aws:RequestTag/kubernetes-service-account": str(who),
                    },
                    "ArnEquals": {"aws:SourceArn": names.cluster_arn},
                },
            )
        ],
        name=names.role(who),
        limit=TRUST_LIMIT,
    )


def builds(stack: StackDeclaration, names: Names) -> str | None:
    """Build jobs of exactly the declared repositories and branches; None without a model.

    Raises PolicyTooLong at about 35 repositories. Models may share one.
    """
    control = stack.organization.source_control
    subjects = {
        f"repo:{model.source.repository}:ref:refs/heads/{model.source.branch}" for model in stack.models.values()
    }
    if not subjects:
        return None
    return document(
        [
            Statement(
                actions.ASSUME_WITH_WEB_IDENTITY,
                sid="Builds",
                principals={"Federated": [names.oidc_provider_arn(control.oidc_issuer)]},
                conditions={
                    "StringEquals": {
                        f"{control.oidc_issuer}:aud": control.audience,
                        f"{control.oidc_issuer}:sub": sorted(subjects),
                    }
                },
            )
        ],
        name=names.role(Workload.CI),
        limit=TRUST_LIMIT,
    )

"""Acting in the sandbox as its operator, or as a role that has been taken on the way it is in a real account.

An identity provider's assertion, a build job's token and the pod identity agent are played by the operator; whether the
role may be taken on is judged by its trust policy all the same.
"""

import base64
import json
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.naming import Names
from infra.spec import StackDeclaration
from infra.spec.types import Persona, Workload
from sandbox.home import Home

OPERATOR = "AKIASGOP"
SAML_ATTRIBUTE = "https://aws.amazon.com/SAML/Attributes/"
ASSERTION = """<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">
<saml:Assertion><saml:Conditions><saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
<saml:AttributeStatement>{attributes}</saml:AttributeStatement></saml:Assertion></samlp:Response>"""
METADATA = '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="stagegate-sandbox"/>' + " " * 1000


@dataclass(frozen=True)
class Actor:
    """Somebody's credentials at one sandbox."""

    home: Home
    region: str
    key: str
    secret: str
    token: str | None = None

    def client(self, service: str, *, region: str | None = None, secure: bool = True) -> Any:
        """A boto3 client; without `secure` it speaks plain HTTP."""
        ports = json.loads((self.home.aws / "ports.json").read_text())
        session = boto3.Session(self.key, self.secret, self.token, region_name=region or self.region)
        return session.client(
            service,
            endpoint_url=f"https://127.0.0.1:{ports['https']}" if secure else f"http://127.0.0.1:{ports['http']}",
            verify=str(self.home.aws / "ca.pem"),
            config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
        )

    def variables(self) -> dict[str, str]:
        """What AWS's SDKs and command line read from the environment."""
        token = {"AWS_SESSION_TOKEN": self.token} if self.token else {}
        return {"AWS_ACCESS_KEY_ID": self.key, "AWS_SECRET_ACCESS_KEY": self.secret, **token}


def operator(home: Home, account: str, region: str) -> Actor:
    """Root of an account."""
    return Actor(home, region, OPERATOR + account, (home.aws / "operator-secret").read_text())


def persona(home: Home, stack: StackDeclaration, who: Persona, *, group: str | None = None) -> Actor:
    """A person whom the identity provider passes in with a group; by default one that is declared."""
    names, provider = Names.of(stack), stack.organization.identity_provider
    assert stack.department is not None
    _ensure_identity_provider(home, names, provider.saml_provider)
    role, arn = names.role_arn(who), names.saml_provider_arn(provider.saml_provider)
    attributes = {
        "Role": f"{role},{arn}",
        "RoleSessionName": f"somebody@{names.part}",
        f"PrincipalTag:{provider.group_tag}": group or stack.department.people[who][0],
    }
    text = "".join(
        f'<saml:Attribute Name="{SAML_ATTRIBUTE}{name}"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>'
        for name, value in attributes.items()
    )
    assertion = ASSERTION.format(audience="https://signin.aws.amazon.com/saml", attributes=text)
    sts = operator(home, names.account, names.region).client("sts")
    return _session(
        home,
        names.region,
        sts.assume_role_with_saml(
            RoleArn=role, PrincipalArn=arn, SAMLAssertion=base64.b64encode(assertion.encode()).decode()
        ),
    )


def _ensure_identity_provider(home: Home, names: Names, provider: str) -> None:
    """The identity team keeps the provider in every account; here the operator does."""
    iam = operator(home, names.account, names.region).client("iam")
    try:
        iam.create_saml_provider(Name=provider, SAMLMetadataDocument=METADATA)
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityAlreadyExists":
            raise


def workload(home: Home, stack: StackDeclaration, who: Workload, *, namespace: str | None = None) -> Actor:
    """A pod of the department with the workload's service account, or a build job of its first model's branch."""
    names = Names.of(stack)
    root = operator(home, names.account, names.region).client("sts")
    if who is Workload.CI:
        source = next(iter(stack.models.values())).source
        return build(home, stack, f"repo:{source.repository}:ref:refs/heads/{source.branch}")

    def as_service(request: Any, **_: Any) -> None:
        request.headers["x-stagegate-service"] = "pods.eks.amazonaws.com"
        request.headers["x-stagegate-source-arn"] = names.cluster_arn

    root.meta.events.register("before-sign.sts.AssumeRole", as_service)
    tags = {"kubernetes-namespace": namespace or names.namespace, "kubernetes-service-account": str(who)}
    return _session(
        home,
        names.region,
        root.assume_role(
            RoleArn=names.role_arn(who),
            RoleSessionName=f"eks-{names.cluster}-{who}",
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        ),
    )


def build(home: Home, stack: StackDeclaration, subject: str, *, audience: str | None = None) -> Actor:
    """A build job whose token names a subject."""
    names, control = Names.of(stack), stack.organization.source_control
    claims = {"iss": f"https://{control.oidc_issuer}", "aud": audience or control.audience, "sub": subject}
    token = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "none"}, claims, {})
    )
    sts = operator(home, names.account, names.region).client("sts")
    return _session(
        home,
        names.region,
        sts.assume_role_with_web_identity(
            RoleArn=names.role_arn(Workload.CI), RoleSessionName="build", WebIdentityToken=token
        ),
    )


def _session(home: Home, region: str, answer: dict[str, Any]) -> Actor:
    given = answer["Credentials"]
    return Actor(home, region, given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

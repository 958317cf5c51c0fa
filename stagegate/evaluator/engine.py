"""Who decides: the order and interplay of the policies.

Sources, AWS IAM User Guide: "How AWS enforcement code logic evaluates requests to allow or deny access", "Policy evaluation for
requests within a single account", "Cross-account policy evaluation logic", "Permissions boundaries for IAM entities", "AWS JSON policy
elements: Principal"; AWS Organizations User Guide: "SCP evaluation", "RCP evaluation"; AWS KMS Developer Guide: "Key policies in AWS KMS".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from stagegate.evaluator.document import Match, statements
from stagegate.evaluator.model import (
    ContextValue,
    Decision,
    Layer,
    Policies,
    Policy,
    Principal,
    PrincipalKind,
    Reason,
    Request,
)

_IDENTITIES = {PrincipalKind.ROOT, PrincipalKind.USER, PrincipalKind.SESSION, PrincipalKind.FEDERATED_USER}
_BOUNDED = _IDENTITIES - {PrincipalKind.ROOT}
_SESSIONS = {PrincipalKind.SESSION, PrincipalKind.FEDERATED_USER}
_PRINCIPAL_TYPES = {
    PrincipalKind.ROOT: "Account",
    PrincipalKind.USER: "User",
    PrincipalKind.SESSION: "AssumedRole",
    PrincipalKind.FEDERATED_USER: "FederatedUser",
    PrincipalKind.ANONYMOUS: "Anonymous",
}


def evaluate(request: Request, policies: Policies) -> Decision:
    """Decides one request. Raises PolicyError for a malformed policy."""
    case = _Case(request, policies)
    return case.denied or case.unguarded() or case.granted()


def context_of(request: Request) -> dict[str, ContextValue]:
    """The request's context with keys in lower case, and what follows from principal and resource: "AWS global condition context keys"."""
    principal = request.principal
    context: dict[str, ContextValue] = {"aws:resourceaccount": request.resource_account}
    if principal.kind is PrincipalKind.ANONYMOUS:
        context["aws:principalaccount"] = "anonymous"
    else:
        context["aws:principalisawsservice"] = "true" if principal.kind is PrincipalKind.SERVICE else "false"
    if principal.kind in _PRINCIPAL_TYPES:
        context["aws:principaltype"] = _PRINCIPAL_TYPES[principal.kind]
    if principal.kind in _IDENTITIES:
        context["aws:principalarn"] = principal.role or principal.arn
        context["aws:principalaccount"] = principal.account
    if principal.kind is PrincipalKind.USER:
        context["aws:username"] = principal.arn.rpartition("/")[2]
    context.update((key.lower(), value) for key, value in request.context.items())
    return context


@dataclass(slots=True)
class _Said:
    """What the policies of one layer say to a request: the first statement that denies, the one that allows most closely."""

    deny: str | None = None
    allow: str | None = None
    match: Match = Match.NONE


@dataclass(slots=True)
class _Case:
    request: Request
    policies: Policies
    said: dict[Layer, _Said] = field(init=False, default_factory=dict)
    scps: list[_Said] = field(init=False, default_factory=list)
    rcps: list[_Said] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        kind = self.request.principal.kind
        action, context = self.request.action.lower(), context_of(self.request)
        policies = self.policies
        bounded = kind in _BOUNDED and policies.boundary is not None

        def ask(asked: Iterable[Policy], on_resource: bool = False) -> _Said:
            return _ask(asked, on_resource, self.request, action, context, bounded)

        if not _service_linked(self.request.principal):
            if kind in _IDENTITIES:
                self.scps = [ask(level) for level in policies.scps]
            self.rcps = [ask(level, on_resource=True) for level in policies.rcps]
        if policies.resource is not None:
            self.said[Layer.RESOURCE] = ask([policies.resource], on_resource=True)
        if kind in _BOUNDED:
            self.said[Layer.IDENTITY] = ask(policies.identity)
        if bounded and policies.boundary is not None:
            self.said[Layer.BOUNDARY] = ask([policies.boundary])
        if kind in _SESSIONS and policies.session:
            self.said[Layer.SESSION] = ask(policies.session)

    @property
    def denied(self) -> Decision | None:
        """An explicit deny, wherever it is, wins."""
        levels = [(Layer.SCP, said) for said in self.scps] + [(Layer.RCP, said) for said in self.rcps]
        for layer, said in [*levels, *self.said.items()]:
            if said.deny:
                return Decision(False, Reason.EXPLICIT_DENY, layer, said.deny)
        return None

    def unguarded(self) -> Decision | None:
        """Every level of the organization has to allow. RCPs only deny: RCPFullAWSAccess is on every level and can't be detached."""
        return None if all(said.allow for said in self.scps) else _implicit(Layer.SCP)

    def granted(self) -> Decision:
        principal = self.request.principal
        resource = self.said.get(Layer.RESOURCE, _Said())
        by_resource = Decision(True, Reason.ALLOWED, Layer.RESOURCE, resource.allow)
        if principal.kind not in _IDENTITIES:
            return by_resource if resource.match is Match.DIRECT else _implicit(Layer.RESOURCE)
        if principal.account != self.request.resource_account:
            return self._by_identity(resource.allow) if resource.allow else _implicit(Layer.RESOURCE)
        if resource.match is Match.DIRECT:
            return by_resource
        if resource.match is Match.BEHIND_SESSION:
            return self._limit() or by_resource
        if self.policies.resource_must_allow:
            return self._by_identity(resource.allow) if resource.allow else _implicit(Layer.RESOURCE)
        return self._by_identity()

    def _by_identity(self, resource_statement: str | None = None) -> Decision:
        """The identity's own permissions; `resource_statement` is what the resource's policy has already allowed, if that was needed."""
        if self.request.principal.kind is PrincipalKind.ROOT:
            return Decision(True, Reason.ALLOWED, Layer.ROOT, resource_statement)
        allow = self.said[Layer.IDENTITY].allow
        if not allow:
            return _implicit(Layer.IDENTITY)
        statement = f"{allow} and {resource_statement}" if resource_statement else allow
        return self._limit() or Decision(True, Reason.ALLOWED, Layer.IDENTITY, statement)

    def _limit(self) -> Decision | None:
        """What the boundary and the session policies don't allow. A federated user without session policy has no permissions of its own."""
        for layer in (Layer.BOUNDARY, Layer.SESSION):
            if layer in self.said and not self.said[layer].allow:
                return _implicit(layer)
        if self.request.principal.kind is PrincipalKind.FEDERATED_USER and not self.policies.session:
            return _implicit(Layer.SESSION)
        return None


def _ask(
    policies: Iterable[Policy],
    on_resource: bool,
    request: Request,
    action: str,
    context: Mapping[str, ContextValue],
    bounded: bool,
) -> _Said:
    said = _Said()
    for policy in policies:
        for statement in statements(policy, on_resource):
            match = statement.match(request.principal, bounded)
            if match is Match.NONE or (statement.allow and match <= said.match):
                continue
            if statement.applies(action, request.resource, context):
                if not statement.allow:
                    said.deny = policy.name + statement.label
                    return said
                said.allow, said.match = policy.name + statement.label, match
    return said


def _implicit(layer: Layer) -> Decision:
    return Decision(False, Reason.IMPLICIT_DENY, layer)


def _service_linked(principal: Principal) -> bool:
    """Organization policies don't restrict service-linked roles."""
    return ":role/aws-service-role/" in principal.role

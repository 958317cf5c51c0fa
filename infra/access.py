"""Who may do what: grants are collected, then rendered as one policy per role, one per bucket and one for the key."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from infra import actions
from infra.naming import Names
from infra.policy import BUCKET_LIMIT, INLINE_LIMIT, KEY_LIMIT, Statement, document, merge
from infra.spec.types import Persona, Workload, Zone

Principal = Persona | Workload
PRINCIPALS: tuple[Principal, ...] = (*Persona, *Workload)


@dataclass(frozen=True)
class KeyUse:
    """Use of the department's key through one service: `s3`, `dynamodb` or `sns`."""

    actions: tuple[str, ...]
    service: str


@dataclass(frozen=True)
class Grant:
    """A verb that one role may do to one target, and all that has to be said so that AWS agrees.

    Raises ValueError for a star as resource, unless AWS has no other form for the action.
    """

    principal: Principal
    verb: str
    target: str
    allows: tuple[Statement, ...]
    key: KeyUse | None = None
    zone: Zone | None = None

    def __post_init__(self) -> None:
        for allow in self.allows:
            if "*" in allow.resources and not actions.WITHOUT_RESOURCE.issuperset(allow.actions):
                raise ValueError(f"{self.principal} {self.verb} {self.target}: {allow.actions} on every resource")

    @property
    def actions(self) -> tuple[str, ...]:
        return tuple(sorted({action for statement in self.allows for action in statement.actions}))


class Access:
    """All grants of one department in one environment."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.grants: list[Grant] = []

    def add(self, *grants: Grant | Iterable[Grant]) -> None:
        for grant in grants:
            self.grants += [grant] if isinstance(grant, Grant) else list(grant)

    def role_policy(self, principal: Principal) -> str | None:
        """The role's only policy; None where nothing is granted. Raises PolicyTooLong."""
        allows = [statement for grant in self.grants if grant.principal == principal for statement in grant.allows]
        name = self.names.role(principal)
        return document(merge(allows), name=name, limit=INLINE_LIMIT) if allows else None

    def bucket_policy(self, zone: Zone) -> str:
        """Deny what no grant allows, whatever a role's own policy may say."""
        bucket = self.names.bucket_arn(zone)
        objects = f"{bucket}/*"
        readers = self._holders(zone, actions.OBJECT_READ[0])
        writers = self._holders(zone, actions.OBJECT_PUT[0])
        encryption = "s3:x-amz-server-side-encryption"
        statements = [
            Statement(
                actions.ANY_S3,
                (bucket, objects),
                "Deny",
                "TlsOnly",
                "*",
                {"Bool": {"aws:SecureTransport": "false"}},
            ),
            Statement(
                actions.ANY_S3,
                (bucket, objects),
                "Deny",
                "OwnAccountOnly",
                "*",
                {
                    "StringNotEquals": {"aws:PrincipalAccount": self.names.account},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                },
            ),
            self._only("GrantedReadersOnly", actions.OBJECT_READ, objects, readers),
            self._only("GrantedWritersOnly", actions.OBJECT_PUT, objects, writers),
            # The bucket's default is the department's key. A header could only say otherwise: even `aws:kms`, without
            # a key, means AWS's own key for S3 (S3 API, PutObject).
            self._without("DepartmentKeyOnly", encryption, objects),
            self._without("NoOtherKey", f"{encryption}-aws-kms-key-id", objects),
            self._without("NoCustomerProvidedKey", f"{encryption}-customer-algorithm", objects),
        ]
        return document(statements, name=self.names.bucket(zone), limit=BUCKET_LIMIT)

    def _without(self, sid: str, header: str, objects: str) -> Statement:
        return Statement(actions.OBJECT_PUT, (objects,), "Deny", sid, "*", {"Null": {header: "false"}})

    def _only(self, sid: str, denied: tuple[str, ...], objects: str, holders: list[str]) -> Statement:
        conditions = {"ArnNotEquals": {"aws:PrincipalArn": holders}} if holders else {}
        return Statement(denied, (objects,), "Deny", sid, "*", conditions)

    def _holders(self, zone: Zone, action: str) -> list[str]:
        return sorted(
            {
                self.names.role_arn(grant.principal)
                for grant in self.grants
                if grant.zone == zone and action in grant.actions
            }
        )

    def key_policy(self) -> str:
        """The one place where the use of the key is granted.

        Role policies don't mention the key: its ARN isn't known before it exists, and they have to be readable in a
        preview. The account's administrators manage the key and can't use it.
        """
        names = self.names
        root = {"AWS": [names.account_root]}
        service = f"{names.region}.amazonaws.com"
        same_account = {"StringEquals": {"aws:SourceAccount": names.account}}
        everything = ("*",)
        statements = [
            Statement(actions.KEY_ADMINISTER, everything, sid="Administer", principals=root),
            Statement(
                actions.KEY_DELEGATE,
                everything,
                sid="DelegateToStorageServices",
                principals=root,
                conditions={
                    "Bool": {"kms:GrantIsForAWSResource": "true"},
                    "StringEquals": {"kms:ViaService": [f"dynamodb.{service}", f"ecr.{service}"]},
                },
            ),
            Statement(
                actions.KEY_SERVICE,
                everything,
                sid="EncryptLogs",
                principals={"Service": [f"logs.{service}"]},
                conditions={
                    "StringLike": {"kms:EncryptionContext:aws:logs:arn": names.log_group_arn(names.log_groups)}
                },
            ),
            Statement(
                actions.KEY_ENCRYPT,
                everything,
                sid="NotifyTopics",
                principals={"Service": ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]},
                conditions=same_account,
            ),
        ]
        uses = sorted(
            {
                (grant.key.service, grant.key.actions, names.role_arn(grant.principal))
                for grant in self.grants
                if grant.key
            }
        )
        for (via, key_actions), holders in groupby(uses, key=lambda use: use[:2]):
            verb = "Encrypt" if len(key_actions) > 1 else "Decrypt"
            statements.append(
                Statement(
                    key_actions,
                    everything,
                    sid=f"{verb}Through{via.capitalize()}",
                    principals={"AWS": [holder for *_, holder in holders]},
                    conditions={"StringEquals": {"kms:ViaService": f"{via}.{service}"}},
                )
            )
        return document(statements, name=names.key_alias, limit=KEY_LIMIT)

"""One request after the other: who asks, what for, may they, and then moto."""

import threading
import traceback
import uuid
from pathlib import Path

from sandbox.cloud.authorizer import Authorizer
from sandbox.cloud.faults import Fault
from sandbox.cloud.journal import Journal
from sandbox.cloud.moto_app import Moto, Reply, request_environ
from sandbox.cloud.principals import Principals
from sandbox.cloud.requests import HttpRequest, parse, scope
from sandbox.cloud.sessions import SessionTags


class Cloud:
    """Requests are answered one at a time: moto's state is not made for more, and a journal has one order."""

    def __init__(self, folder: Path, operator_secret: str) -> None:
        self.lock = threading.Lock()
        self.moto = Moto(operator_secret)
        self.principals = Principals(operator_secret)
        self.authorizer = Authorizer(folder / "decisions.jsonl")
        self.sessions = SessionTags(self.principals.session_tags)
        self.journal = Journal(folder / "journal.jsonl")
        self.journal.replay(self.moto, self.sessions.remember)

    def answer(self, http: HttpRequest) -> Reply:
        request_id = str(uuid.uuid4())
        protocol = "s3" if scope(http)[0] == "s3" else "query"
        with self.lock:
            try:
                call = parse(http)
                protocol = call.protocol
                caller = self.principals.caller(http)
                account = self.authorizer.check(call, caller)
                if not call.reads:
                    return self.journal.record(self.moto, http, account, self.sessions.remember)
                headers = {**http.headers, "x-moto-account-id": account}
                return self.moto.call(request_environ(http.method, http.raw_path, http.query, headers, http.body))
            except Fault as fault:
                return fault.reply(protocol, request_id)
            except NotImplementedError as error:
                return Fault("NotImplementedException", f"the embedded AWS can't: {error}", 400).reply(
                    protocol, request_id
                )
            except Exception:  # noqa: BLE001 – a server answers whatever happens
                # Nothing is allowed by accident: what can't be judged is refused, and the log says why.
                traceback.print_exc()
                failure = Fault("InternalFailure", "the sandbox failed; its log has the reason", 500)
                return failure.reply(protocol, request_id)

    def close(self) -> None:
        with self.lock:
            self.journal.close()
            self.authorizer.close()

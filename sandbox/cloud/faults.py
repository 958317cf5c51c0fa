"""Refusals in the form that each of AWS's protocols gives them."""

import json
from dataclasses import dataclass
from xml.sax.saxutils import escape

import cbor2

from sandbox.cloud.moto_app import Reply

REASONS = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 500: "Internal Server Error"}
# The code by which each protocol says that a permission is missing.
DENIED = {"s3": "AccessDenied", "ec2": "UnauthorizedOperation"}


@dataclass
class Fault(Exception):
    """A request that goes no further. `code` is AWS's name of the error."""

    code: str
    message: str
    status: int = 403

    def reply(self, protocol: str, request_id: str) -> Reply:
        """`protocol` is botocore's name of it, or `s3`."""
        status = f"{self.status} {REASONS[self.status]}"
        if protocol in ("json", "rest-json"):
            headers = [("x-amzn-errortype", self.code), ("x-amzn-requestid", request_id)]
            body = json.dumps({"__type": self.code, "message": self.message, "Message": self.message})
            return _reply(status, "application/x-amz-json-1.1", body, headers)
        if protocol == "smithy-rpc-v2-cbor":
            content = cbor2.dumps({"__type": self.code, "message": self.message})
            return (
                status,
                [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")],
                content,
            )
        code, message = escape(self.code), escape(self.message)
        if protocol == "s3":
            text = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
        elif protocol == "ec2":
            text = (
                f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
                f"<RequestID>{request_id}</RequestID></Response>"
            )
        else:
            text = (
                f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
                f"<RequestId>{request_id}</RequestId></ErrorResponse>"
            )
        return _reply(status, "text/xml", f'<?xml version="1.0" encoding="UTF-8"?>\n{text}', [])


def _reply(status: str, kind: str, body: str, headers: list[tuple[str, str]]) -> Reply:
    content = body.encode()
    return status, [("Content-Type", kind), ("Content-Length", str(len(content))), *headers], content


def denied_code(protocol: str) -> str:
    if protocol in ("json", "rest-json", "smithy-rpc-v2-cbor"):
        return "AccessDeniedException"
    return DENIED.get(protocol, "AccessDenied")

"""Subsegments for X-Ray: a datagram for each call to DynamoDB or Stripe, to the daemon beside every function.

Powertools' tracer does the same for 190 ms of a cold start, and patches the libraries it watches; this is two documents of a
few lines. https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
"""

import json
import os
import secrets
import socket
from functools import cache
from typing import Any

from shop.lib.watching import Call

_HEADER = '{"format": "json", "version": 1}\n'
_AWS = {"DynamoDB", "S3", "SES"}


def send(call: Call) -> None:
    """Tell X-Ray of the call, if this very request is traced. A datagram that gets lost is no loss."""
    trace = _trace()
    address = os.environ.get("AWS_XRAY_DAEMON_ADDRESS", "")
    host, _, port = address.rpartition(":")
    if not (host and trace.get("Sampled") == "1" and trace.keys() >= {"Root", "Parent"}):
        return
    try:
        _socket().sendto((_HEADER + json.dumps(document(call, trace))).encode(), (host, int(port)))
    except (OSError, ValueError):
        return


def document(call: Call, trace: dict[str, str]) -> dict[str, Any]:
    """The call as a subsegment of the function's own segment."""
    subsegment: dict[str, Any] = {
        "type": "subsegment",
        "id": secrets.token_hex(8),
        "trace_id": trace["Root"],
        "parent_id": trace["Parent"],
        "name": call.service,
        "start_time": call.started_at,
        "end_time": call.ended_at,
        "namespace": "aws" if call.service in _AWS else "remote",
        ("aws" if call.service in _AWS else "annotations"): {"operation": call.operation},
    }
    return subsegment | ({"fault": True} if call.failed else {})


def _trace() -> dict[str, str]:
    """`Root=1-…;Parent=…;Sampled=1`, which Lambda's client sets anew for every request."""
    parts = (part.partition("=") for part in os.environ.get("_X_AMZN_TRACE_ID", "").split(";"))
    return {name.strip(): value for name, _, value in parts if value}


@cache
def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.settimeout(0)
    return made

"""Which system stands behind a request, by the word of API Gateway's authorizers and nothing a client can write.

Behind a gateway every request carries the gateway's context, and an authorizer that let it pass has left its findings there: the
claims of a Cognito token it verified, or the AWS identity whose signature it checked. Without them there is nobody.
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from shop.lib.viewer import GUEST, Permission, Viewer

SYSTEM = "system"
"""The role of a program that came through the gateway."""
SCOPES = "shop/"
"""The resource server's identifier, before each scope of ours."""
_CONTEXT = "apig_wsgi.request_context"
_ASSUMED = re.compile(r"arn:([\w-]+):sts::(\d{12}):assumed-role/([\w+=,.@-]+)/[^/]+")


def came_by_gateway(request: HttpRequest) -> bool:
    """Whether a gateway stands before us. Headers become `HTTP_…` in WSGI, so none can say so."""
    return _CONTEXT in request.META


def system_of(request: HttpRequest) -> Viewer:
    """The system an authorizer of the gateway let pass; a guest when none did."""
    authorizer = (request.META.get(_CONTEXT) or {}).get("authorizer") or {}
    token, signature = authorizer.get("jwt"), authorizer.get("iam")
    if isinstance(token, dict):
        return system_of_claims(token.get("claims") or {})
    if isinstance(signature, dict):
        return _signer(str(signature.get("userArn") or ""))
    return GUEST


def system_of_claims(claims: Mapping[str, Any]) -> Viewer:
    """The system that holds a verified access token: its scopes are its permissions. A guest for any other token."""
    client_id = claims.get("client_id")
    if claims.get("token_use") != "access" or not isinstance(client_id, str) or not client_id:
        return GUEST
    scopes = str(claims.get("scope") or "").split()
    return _system(client_id, (scope.removeprefix(SCOPES) for scope in scopes if scope.startswith(SCOPES)))


def _signer(arn: str) -> Viewer:
    """The system of an AWS identity; a role's sessions are the role. Without an entry in the settings it may do nothing."""
    session = _ASSUMED.fullmatch(arn)
    identity = "arn:{}:iam::{}:role/{}".format(*session.groups()) if session else arn
    return _system(identity, settings.API_SYSTEMS.get(identity, ())) if identity else GUEST


def _system(name: str, permissions: Iterable[str]) -> Viewer:
    known = {permission.value for permission in Permission}
    return Viewer(
        user_id=f"{SYSTEM}:{name}",
        name=name,
        role=SYSTEM,
        permissions=frozenset(Permission(word) for word in permissions if word in known),
        has_second_factor=True,  # a key or a secret of its own is what it proved itself by
    )

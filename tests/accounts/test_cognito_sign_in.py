"""Staff who sign in at the user pool, through the local cloud's own sign-in pages; and everything that must not work."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import boto3
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from jwt.algorithms import RSAAlgorithm
from pytest_django import Settings

from accounts import cognito, cognito_sign_in, queries
from accounts.cognito_views import ATTEMPT_COOKIE
from accounts.cookies import ACCESS_COOKIE
from accounts.domain import PROVIDED_SESSION, Role, User, UserStatus, rights_of_groups
from accounts.queries import UserNotFound
from accounts.tokens import BadToken
from shop.lib.viewer import Permission
from shop.local.ministack import Ministack
from tests.accounts.people import deliver, log_in, make_user
from tests.accounts.sign_in_page import pass_sign_in_page
from tests.conftest import items_of

START, RETURN = "/accounts/cognito/", "/accounts/cognito/return/"
THEIR_PASSWORD = "Correct-horse-7-battery"
EDITS = frozenset({Permission.PRODUCTS_VIEW, Permission.STOCK_EDIT})


@dataclass(frozen=True)
class Pool:
    """A user pool of the local cloud with this shop as its app client."""

    endpoint: str
    pool_id: str
    api: Any

    def add(self, email: str = "ada@example.com", *groups: str, verified: str = "true") -> str:
        """Somebody in it; their subject."""
        attributes = {"email": email, "email_verified": verified, "given_name": "Ada", "family_name": "Lovelace"}
        made = self.api.admin_create_user(
            UserPoolId=self.pool_id,
            Username=email,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items()],
        )
        self.api.admin_set_user_password(UserPoolId=self.pool_id, Username=email, Password=THEIR_PASSWORD, Permanent=True)
        for group in groups:
            self.join(email, group)
        return str(next(one["Value"] for one in made["User"]["Attributes"] if one["Name"] == "sub"))

    def join(self, email: str, group: str) -> None:
        self.api.admin_add_user_to_group(UserPoolId=self.pool_id, Username=email, GroupName=group)

    def leave(self, email: str, group: str) -> None:
        self.api.admin_remove_user_from_group(UserPoolId=self.pool_id, Username=email, GroupName=group)

    def come_back(self, client: Client, email: str = "ada@example.com", *, leads_to: str = "/staff/") -> str:
        """Go to the pool's page, sign in there; the address it sends the browser back to."""
        asked = client.get(START, {"next": leads_to})
        assert asked.status_code == 303
        return pass_sign_in_page(asked["Location"], email=email, password=THEIR_PASSWORD)

    def sign_in(self, client: Client, email: str = "ada@example.com") -> Any:
        """The whole way; the shop's answer."""
        return client.get(local(self.come_back(client, email)))


def local(address: str) -> str:
    assert address.startswith(f"http://testserver{RETURN}?"), address
    return address.removeprefix("http://testserver")


@pytest.fixture(scope="module")
def made_pool(cloud: Ministack) -> Pool:
    api = boto3.client("cognito-idp")
    made = api.create_user_pool(PoolName="staff", UsernameAttributes=["email"], AutoVerifiedAttributes=["email"])
    pool_id = made["UserPool"]["Id"]
    for group in ("admin", "warehouse", "choir"):
        api.create_group(UserPoolId=pool_id, GroupName=group)
    return Pool(cloud.endpoint, pool_id, api)


@pytest.fixture
def pool(made_pool: Pool, tables: Any, settings: Settings) -> Any:
    """The pool, with nobody in it."""
    client = made_pool.api.create_user_pool_client(
        UserPoolId=made_pool.pool_id,
        ClientName="shop",
        AllowedOAuthFlowsUserPoolClient=True,
        AllowedOAuthFlows=["code"],
        AllowedOAuthScopes=["openid", "email", "profile"],
        CallbackURLs=[f"http://testserver{RETURN}"],
        SupportedIdentityProviders=["COGNITO"],
    )["UserPoolClient"]
    settings.COGNITO_ISSUER = f"https://cognito-idp.us-east-1.amazonaws.com/{made_pool.pool_id}"
    settings.COGNITO_JWKS_URL = f"{made_pool.endpoint}/{made_pool.pool_id}/.well-known/jwks.json"
    settings.COGNITO_SIGN_IN_URL = made_pool.endpoint
    settings.COGNITO_STAFF_CLIENT_ID = client["ClientId"]
    settings.COGNITO_SIGNS_IN = True
    settings.COGNITO_GROUPS = {"admin": frozenset(Permission), "warehouse": EDITS}
    cognito._keys.cache_clear()
    yield made_pool
    cognito._keys.cache_clear()
    for user in made_pool.api.list_users(UserPoolId=made_pool.pool_id)["Users"]:
        made_pool.api.admin_delete_user(UserPoolId=made_pool.pool_id, Username=user["Username"])


def nobody_signed_in(client: Client) -> bool:
    return ACCESS_COOKIE not in client.cookies and not [one for one in items_of("Users") if one["SK"]["S"].startswith("SESSION#")]


def test_somebody_new_gets_an_account_with_what_their_groups_may_do(pool: Pool, client: Client, settings: Settings) -> None:
    settings.STAFF_SECOND_FACTOR = True
    subject = pool.add("ada@example.com", "warehouse", "choir")

    answer = pool.sign_in(client)

    assert (answer.status_code, answer["Location"]) == (303, "/staff/")
    user = queries.user_of_subject(subject=subject)
    assert (user.email, user.name, user.role, user.permissions) == ("ada@example.com", "Ada Lovelace", Role.STAFF, EDITS)
    # The second factor is the pool's, so nobody is asked for another.
    assert client.get("/staff/").status_code == 200
    assert client.get("/staff/customers/").status_code == 403
    # The same account the next time, from another browser.
    pool.sign_in(Client())
    assert queries.user_of_subject(subject=subject).user_id == user.user_id
    assert [one["action"]["S"] for one in items_of("Users") if one["SK"]["S"].startswith("AUDIT#")] == [
        "signed in for the first time"
    ]


def test_what_a_person_may_do_follows_their_groups_at_each_sign_in(pool: Pool, client: Client) -> None:
    subject = pool.add("ada@example.com", "admin")
    pool.sign_in(client)
    assert queries.user_of_subject(subject=subject).role is Role.ADMIN

    pool.leave("ada@example.com", "admin")
    pool.join("ada@example.com", "warehouse")
    pool.sign_in(Client())
    assert queries.user_of_subject(subject=subject).permissions == EDITS
    # Felt in the browser that was signed in before, too.
    assert client.get("/staff/team/").status_code == 403

    pool.leave("ada@example.com", "warehouse")
    other = Client()
    refused = pool.sign_in(other)
    assert refused.status_code == 403
    assert "in no group that may do anything here any more" in refused.content.decode()
    assert ACCESS_COOKIE not in other.cookies
    assert (queries.user_of_subject(subject=subject).role, client.get("/staff/").status_code) == (Role.CUSTOMER, 403)


def test_who_is_in_no_group_of_ours_gets_nothing(pool: Pool, client: Client) -> None:
    pool.add("ada@example.com", "choir")

    assert pool.sign_in(client).status_code == 403
    assert nobody_signed_in(client)
    with pytest.raises(UserNotFound):
        queries.user_by_email(email="ada@example.com")


def test_an_account_with_the_confirmed_address_is_linked_and_has_no_password_any_more(
    pool: Pool, client: Client, now: datetime
) -> None:
    user = make_user(now, role=Role.STAFF, granted=frozenset({"stock.edit"}))
    before = Client()
    log_in(before)
    subject = pool.add("Ada@Example.com", "warehouse")

    assert pool.sign_in(client, "Ada@Example.com").status_code == 303

    linked = queries.user_of_subject(subject=subject)
    assert (linked.user_id, linked.permissions) == (user.user_id, EDITS)
    # Nothing but the pool opens it: whoever the pool shuts out is out.
    assert before.get("/staff/").status_code == 303
    assert log_in(Client()).status_code == 422
    Client().post("/accounts/password-reset/", {"email": "ada@example.com"})
    assert [str(message.body) for message in deliver(now) if "password-reset" in str(message.body)] == []


def _refusals(pool: Pool, now: datetime) -> dict[str, Callable[[], User]]:
    def staff(**more: Any) -> User:
        return make_user(now, **{"role": Role.STAFF, "granted": frozenset({"stock.edit"}), **more})

    def unconfirmed() -> User:
        pool.add("ada@example.com", "warehouse", verified="false")
        return staff()

    def above() -> User:
        pool.add("ada@example.com", "warehouse")
        return staff(role=Role.ADMIN, granted=frozenset())

    def more() -> User:
        pool.add("ada@example.com", "warehouse")
        return staff(granted=frozenset({"orders.refund"}))

    def disabled() -> User:
        pool.add("ada@example.com", "admin")
        return staff(status=UserStatus.DISABLED)

    def anothers() -> User:
        pool.add("ada@example.com", "warehouse")
        return staff(subject="another-subject")

    return {one.__name__: one for one in (unconfirmed, above, more, disabled, anothers)}


@pytest.mark.parametrize("case", ["unconfirmed", "above", "more", "disabled", "anothers"])
def test_no_account_is_taken_over(pool: Pool, client: Client, now: datetime, case: str) -> None:
    user = _refusals(pool, now)[case]()
    before = items_of("Users")

    assert pool.sign_in(client).status_code == 403

    assert nobody_signed_in(client)
    assert [one for one in items_of("Users") if one["SK"]["S"] != "LIMIT"] == before
    assert queries.user(user_id=user.user_id) == user


def test_a_shut_account_stays_shut(pool: Pool, client: Client, tables: Any) -> None:
    subject = pool.add("ada@example.com", "admin")
    pool.sign_in(client)
    user = queries.user_of_subject(subject=subject)
    key = {"PK": {"S": f"USER#{user.user_id}"}, "SK": {"S": "PROFILE"}}
    tables.update_item(
        TableName="test-Users",
        Key=key,
        UpdateExpression="SET #s = :d",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":d": {"S": "disabled"}},
    )

    other = Client()
    assert pool.sign_in(other).status_code == 403
    assert ACCESS_COOKIE not in other.cookies


def test_who_is_shut_out_there_does_not_come_back(pool: Pool, client: Client) -> None:
    pool.add("ada@example.com", "admin")
    pool.api.admin_disable_user(UserPoolId=pool.pool_id, Username="ada@example.com")

    assert pool.come_back(client) == ""


def test_the_way_back_is_good_once_in_the_browser_that_went(pool: Pool, client: Client) -> None:
    pool.add("ada@example.com", "admin")
    address = local(pool.come_back(client))
    attempt = client.cookies[ATTEMPT_COOKIE].value

    # A link sent to somebody else signs them in to nothing, nor does it with an attempt of their own.
    stranger = Client()
    assert stranger.get(address).status_code == 400
    stranger.get(START)
    assert stranger.get(address).status_code == 400
    assert nobody_signed_in(stranger)

    assert client.get(address).status_code == 303
    assert client.cookies[ATTEMPT_COOKIE].value == ""
    again = Client()
    again.cookies[ATTEMPT_COOKIE] = attempt
    assert again.get(address).status_code == 400
    assert ACCESS_COOKIE not in again.cookies


@pytest.mark.parametrize(("name", "status"), [("state", 400), ("code", 400), ("nonce", 400), ("code_challenge", 400)])
def test_a_changed_secret_signs_nobody_in(
    pool: Pool, client: Client, monkeypatch: pytest.MonkeyPatch, name: str, status: int
) -> None:
    pool.add("ada@example.com", "admin")
    real = cognito_sign_in.sign_in_url

    def changed(address: str) -> str:
        parts = urlsplit(address)
        query = {key: value[::-1] if key == name else value for key, value in parse_qsl(parts.query)}
        return parts._replace(query=urlencode(query)).geturl()

    if name in ("nonce", "code_challenge"):
        monkeypatch.setattr("accounts.cognito_views.sign_in_url", lambda attempt: changed(real(attempt)))
    address = pool.come_back(client)
    if name in ("state", "code"):
        address = changed(address)

    assert client.get(local(address)).status_code == status
    assert nobody_signed_in(client)


KEY, OTHER_KEY = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "another client"},
        {"iss": "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_other"},
        {"token_use": "access"},
        {"exp": datetime(2026, 1, 1, tzinfo=UTC)},
        {"nonce": None},
        {"key": OTHER_KEY},
        {"algorithm": "HS256", "key": "a secret of 32 bytes and some more"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_token_than_the_pools_own_for_us_signs_nobody_in(
    pool: Pool, client: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    public = RSAAlgorithm.to_jwk(KEY.public_key(), as_dict=True) | {"kid": "k1", "alg": "RS256", "use": "sig"}
    monkeypatch.setattr(jwt.PyJWKClient, "fetch_data", lambda _: {"keys": [public]})
    attempt = cognito_sign_in.new_attempt(leads_to="/")
    now = datetime.now(UTC)
    good = {
        "iss": settings.COGNITO_ISSUER,
        "aud": settings.COGNITO_STAFF_CLIENT_ID,
        "sub": "s1",
        "token_use": "id",
        "nonce": attempt.nonce,
        "iat": now,
        "exp": now + timedelta(minutes=5),
    }

    def proven(key: Any = KEY, algorithm: str = "RS256", **changes: Any) -> str:
        claims = {name: value for name, value in (good | changes).items() if value is not None}
        token = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": "k1"})
        monkeypatch.setattr(cognito_sign_in, "_id_token", lambda *_: token)
        return cognito_sign_in.proven(attempt, code="c").subject

    assert proven() == "s1"
    with pytest.raises(BadToken):
        proven(**changes)


def test_a_pool_that_does_not_answer_is_told_and_can_be_tried_again(pool: Pool, client: Client, settings: Settings) -> None:
    pool.add("ada@example.com", "admin")
    address = local(pool.come_back(client))
    settings.COGNITO_SIGN_IN_URL = "http://127.0.0.1:9"

    answer = client.get(address)

    assert (answer.status_code, answer["Retry-After"] != "") == (503, True)
    assert nobody_signed_in(client)


def test_who_gave_up_there_or_is_in_already_is_told_or_led_on(pool: Pool, client: Client) -> None:
    state = dict(parse_qsl(urlsplit(client.get(START)["Location"]).query))["state"]
    answer = client.get(RETURN, {"state": state, "error": "access_denied"})
    assert (answer.status_code, "You did not sign in. You can try once more." in answer.text) == (403, True)
    assert nobody_signed_in(client)

    pool.add("ada@example.com", "admin")
    pool.sign_in(client)
    assert client.get(START, {"next": "/staff/orders/"})["Location"] == "/staff/orders/"


def test_signing_out_ends_it_there_too_and_nobody_stays_for_longer_than_half_a_day(
    pool: Pool, client: Client, now: datetime
) -> None:
    pool.add("ada@example.com", "admin")
    pool.sign_in(client)
    [session] = [one for one in items_of("Users") if one["SK"]["S"].startswith("SESSION#")]
    assert abs(int(session["expiresAt"]["N"]) - (now + PROVIDED_SESSION).timestamp()) < 60
    assert "Max-Age" not in client.cookies[ACCESS_COOKIE].output()
    policy = client.get("/accounts/")["Content-Security-Policy"]

    answer = client.post("/accounts/logout/")

    assert answer["Location"].startswith(f"{pool.endpoint}/logout?client_id=")
    assert "logout_uri=http%3A%2F%2Ftestserver%2F" in answer["Location"]
    assert "form-action 'self'" in policy


def test_the_button_is_there_where_it_leads_somewhere(pool: Pool, client: Client, settings: Settings) -> None:
    page = client.get("/accounts/login/", {"next": "/staff/?a=1&b=2"}).content.decode()
    assert 'href="/accounts/cognito/?next=%2Fstaff%2F%3Fa%3D1%26b%3D2"' in page
    # Nobody is led off to another site.
    assert local(pool.come_back(client, pool.add("eve@example.com", "admin") and "eve@example.com", leads_to="//evil.example/"))
    settings.COGNITO_SIGNS_IN = False
    assert "/accounts/cognito/" not in client.get("/accounts/login/").content.decode()
    assert [Client().get(address).status_code for address in (START, RETURN)] == [404, 404]


def test_rights_of_groups_add_up_and_stay_below_an_admins() -> None:
    table = {"admin": frozenset(Permission), "a": frozenset({Permission.STOCK_EDIT}), "b": frozenset({Permission.STAFF_MANAGE})}

    assert rights_of_groups([], table) is None
    assert rights_of_groups(["b", "unknown"], table) is None
    assert rights_of_groups(["a", "b"], table) == (Role.STAFF, frozenset({Permission.STOCK_EDIT}))
    assert rights_of_groups(["a", "admin"], table) == (Role.ADMIN, frozenset(Permission))

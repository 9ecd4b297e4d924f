"""The environment of a local shop: where its AWS and its Stripe are, and the names that open them.

`make run` gives it to its children. `shop/settings.py` fills in what of it is missing when SHOP_LOCAL=true, so that a command
alone (`manage.py runserver 8001`) meets the tables and the Stripe of a `make run` beside it.
"""

from collections.abc import Mapping, MutableMapping

from shop.local import ports

# Nothing but this machine can reach the local cloud and the local Stripe, so these are names, not secrets.
ACCESS_KEY = "local-shop"
SECRET_KEY = "local-shop-secret"
REGION = "us-east-1"
TABLE_PREFIX = "dev-"
STRIPE_KEY = "sk_test_local"
STRIPE_WEBHOOK_SECRET = "whsec_local_only_not_a_secret"


def aws(endpoint: str) -> dict[str, str]:
    """What a process needs to speak to this cloud and to no other."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        # Without this botocore may ask the network for a role's credentials.
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def shop(*, origin: str, stripe_origin: str) -> dict[str, str]:
    """What a process needs to be the shop at `origin`, paid through the Stripe at `stripe_origin`."""
    return {
        "SHOP_LOCAL": "true",
        "SITE_ORIGIN": origin,
        "TABLE_PREFIX": TABLE_PREFIX,
        "STRIPE_API_ORIGIN": stripe_origin,
        "STRIPE_CHECKOUT_ORIGIN": stripe_origin,
        "STRIPE_SECRET_KEY": STRIPE_KEY,
        "STRIPE_WEBHOOK_SECRET": STRIPE_WEBHOOK_SECRET,
    }


def without_aws(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without anything that says which AWS to use: a developer's shell may name the company's account."""
    return {name: value for name, value in environment.items() if not name.startswith("AWS_")}


def complete(environment: MutableMapping[str, str]) -> None:
    """Fill in what is missing as it is for a plain `make run`. Real keys are never sent to a cloud that nobody named."""
    if not environment.get("AWS_ENDPOINT_URL"):
        for name in environment.keys() - without_aws(environment).keys():
            del environment[name]
    usual = aws(_usual("cloud")) | shop(origin=ports.origin(ports.WEB_PORT), stripe_origin=_usual("stripe"))
    for name, value in usual.items():
        environment[name] = environment.get(name) or value


def _usual(helper: str) -> str:
    return ports.origin(ports.usual_port(helper, web_port=ports.WEB_PORT))

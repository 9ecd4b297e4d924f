"""What `make run` prints when the shop is up."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LocalShop:
    """Where everything of a running local shop is."""

    shop: str
    mail: str
    payments: str
    cloud: str
    access_key: str
    secret_key: str
    region: str
    table_prefix: str
    data: str
    log_ins: tuple[str, ...]
    codes: tuple[str, ...] = ()
    first_admin: str = ""


def summary(local: LocalShop, *, seconds: float) -> str:
    """The text for the terminal."""
    log_ins = "".join(f"\n  {'Log in as' if not index else '':<12} {who}" for index, who in enumerate(local.log_ins))
    codes = "".join(f"\n  {'Code' if not index else '':<12} {what}" for index, what in enumerate(local.codes))
    first_admin = (
        f"\n\n  This shop is empty. Its first admin, in another terminal:\n    {local.first_admin}" if local.first_admin else ""
    )
    return f"""
  Shop         {local.shop}
  Mail         {local.mail}
  Payments     {local.payments}{log_ins}{codes}{first_admin}

  Test cards   4242 4242 4242 4242   is paid
               4000 0000 0000 0002   is declined
               4000 0025 0000 3155   asks for 3-D Secure first
               (any date in the future, any three digits)

  AWS          {local.cloud}   access key {local.access_key}   secret {local.secret_key}
               AWS_ACCESS_KEY_ID={local.access_key} AWS_SECRET_ACCESS_KEY={local.secret_key} aws --region {local.region} \\
                   --endpoint-url {local.cloud} dynamodb scan --table-name {local.table_prefix}Products --max-items 1

  Data         {local.data} (delete the folder to begin again)
  Stop         Ctrl-C

  Ready after {seconds:.1f} s.
"""

"""The end of an account."""

from pynamodb.transactions import TransactWrite

from accounts.desk_models import KeysRow
from accounts.domain import User
from accounts.mail_models import AccountMailRow
from accounts.models import (
    EMAIL_CHANGE_SK,
    EMAIL_SK,
    PROFILE_SK,
    AccountAuditRow,
    EmailChangeRow,
    EmailRow,
    SessionRow,
    UserRow,
    email_pk,
    has_credentials,
    session_sk,
    user_key,
    user_pk,
)
from accounts.queries import SessionEnded
from accounts.sign_in_models import SUBJECT_SK, SubjectRow, subject_pk
from shop.lib.audit import AUDIT_SK
from shop.lib.mail_log import erase_mails
from shop.lib.transactions import Refused, run_transaction


def close_account(*, user: User, session_id: str = "", entry: AccountAuditRow | None = None) -> None:
    """Remove somebody's sessions and what staff noted, then profile and claim to the address in one: the address is free for a
    new account. What staff did stays in the audit trail, `entry` with it, where staff do this.

    The session that asks goes last, so that an end that died on the way can be asked for again. Raises SessionEnded when
    password, address, role or status changed meanwhile, Busy.
    """
    pk = user_pk(user.user_id)
    erase_mails(AccountMailRow, pk)
    kept = {PROFILE_SK, EMAIL_CHANGE_SK, session_sk(session_id)}
    for row in KeysRow.query(pk, attributes_to_get=["PK", "SK"], consistent_read=True):
        if row.sk not in kept and not row.sk.startswith(AUDIT_SK):
            row.delete()

    def build(txn: TransactWrite) -> None:
        is_unchanged = has_credentials(user.credentials) & (UserRow.role == user.role) & (UserRow.status == user.status)
        txn.delete(user_key(user.user_id), condition=is_unchanged)
        txn.delete(
            EmailRow(email_pk(user.email), EMAIL_SK),
            condition=EmailRow.pk.does_not_exist() | (EmailRow.user_id == user.user_id),
        )
        txn.delete(EmailChangeRow(pk, EMAIL_CHANGE_SK))
        if user.subject:
            txn.delete(SubjectRow(subject_pk(user.subject), SUBJECT_SK))
        if session_id:
            txn.delete(SessionRow(pk, session_sk(session_id)))
        if entry:
            txn.save(entry)

    try:
        run_transaction(build)
    except Refused as refusal:
        raise SessionEnded(session_id) from refusal

"""The end of an account."""

from pynamodb.transactions import TransactWrite

from accounts.domain import User
from accounts.models import (
    EMAIL_CHANGE_SK,
    EMAIL_SK,
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
from shop.lib.transactions import Refused, run_transaction


def close_account(*, user: User, session_id: str) -> None:
    """Remove somebody's sessions, then profile and claim to the address in one: the address is free for a new account.

    The session that asks goes last, so that an end that died on the way can be asked for again. Raises SessionEnded when
    password or address changed meanwhile, Busy.
    """
    pk = user_pk(user.user_id)
    for row in SessionRow.query(pk, SessionRow.sk.startswith(session_sk("")), consistent_read=True):
        if row.sk != session_sk(session_id):
            row.delete()

    def build(txn: TransactWrite) -> None:
        txn.delete(user_key(user.user_id), condition=UserRow.pk.exists() & has_credentials(user.credentials))
        txn.delete(
            EmailRow(email_pk(user.email), EMAIL_SK),
            condition=EmailRow.pk.does_not_exist() | (EmailRow.user_id == user.user_id),
        )
        txn.delete(EmailChangeRow(pk, EMAIL_CHANGE_SK))
        if user.subject:
            txn.delete(SubjectRow(subject_pk(user.subject), SUBJECT_SK))
        txn.delete(SessionRow(pk, session_sk(session_id)))

    try:
        run_transaction(build)
    except Refused as refusal:
        raise SessionEnded(session_id) from refusal

"""The log of mails about accounts."""

from accounts.models import UserMeta
from shop.lib.mail_log import MailRow


class AccountMailRow(MailRow):
    """A mail about somebody's account, or about a wish of somebody who has none."""

    class Meta(UserMeta):
        pass

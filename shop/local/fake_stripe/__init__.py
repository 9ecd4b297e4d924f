"""A stand-in for Stripe on the developer's machine, spoken to by the real `stripe` library."""

from shop.local.fake_stripe.fake import FakeStripe
from shop.local.fake_stripe.faults import ApiFault, WebhookFault

__all__ = ["ApiFault", "FakeStripe", "WebhookFault"]

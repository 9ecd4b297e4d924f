"""The environment tests run in, set before Django reads its settings (pytest loads this module first, see pyproject.toml)."""

import gc
import os
import socket

import hypothesis


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


# The local AWS of this test process listens here once a test asks for it (conftest.py); each process has its own.
CLOUD_PORT = _free_port()
CLUSTER_URL = os.environ.get("TEST_OPENSEARCH_URL", "")
"""The address of an OpenSearch to hold to the contract of engines too; its indexes `test-…` come and go."""

os.environ.update(
    SHOP_LOCAL="true",
    SITE_ORIGIN="http://testserver",
    EXTRA_HOSTS="testserver,127.0.0.1,localhost",
    AWS_REGION="us-east-1",
    AWS_DEFAULT_REGION="us-east-1",
    AWS_ACCESS_KEY_ID="local-shop",
    AWS_SECRET_ACCESS_KEY="local-shop-secret",
    AWS_EC2_METADATA_DISABLED="true",
    AWS_ENDPOINT_URL=f"http://127.0.0.1:{CLOUD_PORT}",
    TABLE_PREFIX="test-",
    PASSWORD_COST="4",  # as fast as bcrypt goes
    STRIPE_SECRET_KEY="sk_test_tests",
    STRIPE_WEBHOOK_SECRET="whsec_tests",
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
)
for elsewhere in ("AWS_PROFILE", "OPENSEARCH_URL"):
    os.environ.pop(elsewhere, None)

# Else an example that takes 200 ms because the machine has other work fails a test. Speed is `make bench`'s matter.
hypothesis.settings.register_profile("untimed", hypothesis.settings(deadline=None))
hypothesis.settings.load_profile("untimed")

# The collector looks at everything ever made every few hundred objects, and a test process holds 600 MB of modules and tests.
gc.set_threshold(50_000, 20, 100)

"""All settings, and the only module that reads the environment. README.md lists every variable (a test holds it to that)."""

import os
from email.utils import parseaddr
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cart.delivery_domain import tariffs_from
from cart.tax_domain import tax_rules_from
from shop import DEMO_NAME
from shop.lib import env

BASE_DIR = Path(__file__).resolve().parent.parent

# --- Where we run -----------------------------------------------------------------------------------------------------

# The laptop's cloud: loopback endpoints, throw-away keys, plain http, the mail viewer.
LOCAL = env.flag("SHOP_LOCAL", default=False)
if LOCAL:
    from shop.local.environment import complete  # not part of the image

    # Into the environment itself, because botocore reads it too.
    complete(os.environ)
DEBUG = env.flag("SHOP_DEBUG", default=False)
if DEBUG and not LOCAL:
    raise env.BadSetting("SHOP_DEBUG=true shows code and settings to whoever meets an error; it is for SHOP_LOCAL=true alone.")
# Lambda says so itself. Logs, metrics and traces are for there (shop/entrypoints/observing.py).
ON_LAMBDA = bool(env.text("AWS_LAMBDA_FUNCTION_NAME", ""))
METRICS_NAMESPACE = env.text("METRICS_NAMESPACE", "Shop")
# The one origin of the public site. Links in mails and the origin check of forms use it, never a request header.
SITE_ORIGIN = env.text("SITE_ORIGIN").rstrip("/")
SHOP_NAME = env.text("SHOP_NAME", DEMO_NAME)
_SECRET_LENGTH = 50
SECRET_KEY = env.text("SECRET_KEY", "local-only-" + "not-a-secret-" * 4 if LOCAL else None)
if len(SECRET_KEY) < _SECRET_LENGTH:
    raise env.BadSetting(f"SECRET_KEY has {len(SECRET_KEY)} characters; it needs {_SECRET_LENGTH} at least.")
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
# What CloudFront sends with every request, so that nobody goes past it and it can vouch for the visitor's address.
ORIGIN_SECRET = env.text("ORIGIN_SECRET", "")

_HTTPS = SITE_ORIGIN.startswith("https://")
if not (_HTTPS or LOCAL):
    raise env.BadSetting("SITE_ORIGIN must begin with https:// (plain http is for SHOP_LOCAL=true alone).")
if _HTTPS and LOCAL:
    raise env.BadSetting("SHOP_LOCAL=true has published keys and is for http://127.0.0.1 alone; SITE_ORIGIN is https.")
ALLOWED_HOSTS = [urlsplit(SITE_ORIGIN).hostname or "", *env.words("EXTRA_HOSTS", "127.0.0.1,localhost" if LOCAL else "")]
USE_X_FORWARDED_HOST = False

# --- Django -----------------------------------------------------------------------------------------------------------

ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.entrypoints.web.application"
DATABASES: dict[str, dict[str, object]] = {}
# The four apps are not among them: they have no models or tags of Django's, which would import their rows at each start.
INSTALLED_APPS = ["django.contrib.messages", "django.contrib.staticfiles", "django_htmx", "shop"]
MIDDLEWARE = [
    "shop.middleware.ResponseHeaders",
    "django.middleware.security.SecurityMiddleware",
    # Looks at every file at the start, so it is not there where a CDN serves them.
    *(["whitenoise.middleware.WhiteNoiseMiddleware"] if env.flag("SERVE_STATIC", default=True) else []),
    "django.middleware.common.CommonMiddleware",
    "shop.middleware.CrossSitePosts",
    "accounts.middleware.Identity",
    "django.contrib.messages.middleware.MessageMiddleware",
    "orders.middleware.GuestAdoption",
    "django_htmx.middleware.HtmxMiddleware",
    "shop.middleware.HtmxAnswers",
    "shop.middleware.BusyAnswers",
]
_LOADERS = ["shop.lib.templates.Loader"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            # template_partials' loader gives `page.html#part`; templates are parsed once a process except while debugging.
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    _LOADERS if DEBUG else [("django.template.loaders.cached.Loader", _LOADERS)],
                )
            ],
            "builtins": [
                "template_partials.templatetags.partials",
                "django.templatetags.l10n",
                "django.templatetags.static",
                "shop.templatetags.shop",
            ],
            "context_processors": ["django.contrib.messages.context_processors.messages", "shop.context_processors.shop"],
        },
    }
]
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
# Forms here are short texts; images go from the browser to object storage, never through a request.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# --- Security ---------------------------------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = _HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000 if _HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _HTTPS
SECURE_HSTS_PRELOAD = _HTTPS
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
CSRF_COOKIE_HTTPONLY = True
# A `__Host-` cookie is refused by browsers over plain http, so the laptop drops the prefix and the Secure mark.
COOKIE_PREFIX = "__Host-" if _HTTPS else ""
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE = COOKIE_SECURE = _HTTPS
CSRF_FAILURE_VIEW = "shop.views.cross_site_refused"
CSRF_TRUSTED_ORIGINS = [SITE_ORIGIN]
SILENCED_SYSTEM_CHECKS = [
    # "CsrfViewMiddleware is not installed": shop.middleware.CrossSitePosts is that middleware, made stricter.
    "security.W003",
    # X-Frame-Options: shop.middleware.ResponseHeaders sends frame-ancestors and X-Frame-Options itself.
    "security.W002",
]

# --- Accounts ---------------------------------------------------------------------------------------------------------

LOGIN_URL = "/accounts/login/"
SECOND_FACTOR_URL = "/accounts/second-factor/"
# Keys of the signed cookies and API tokens by their `kid`; the first signs, all verify. `manage.py newjwtkey` makes one.
JWT_KEYS = env.keys("JWT_KEYS", "local:bG9jYWwtb25seS1ub3QtYS1zZWNyZXQtYXQtYWxsLTAxMjM0NTY3ODk" if LOCAL else None)
# bcrypt's cost: each step doubles the time of a login. Below 10 is for tests alone.
PASSWORD_COST = env.integer("PASSWORD_COST", 12, least=4 if LOCAL else 10)
# Whether staff pages open only to who signed in with a second factor.
STAFF_SECOND_FACTOR = env.flag("STAFF_SECOND_FACTOR", default=False)
# The AWS identities that may call /api/v1 through the gateway, and what each may do there.
API_SYSTEMS = env.grants("API_SYSTEMS")
# The user pool whose tokens open /api/v1 where no gateway verifies them, and its app clients.
COGNITO_ISSUER = env.text("COGNITO_ISSUER", "").rstrip("/")
COGNITO_JWKS_URL = env.text("COGNITO_JWKS_URL", f"{COGNITO_ISSUER}/.well-known/jwks.json")
COGNITO_CLIENT_ID = env.words("COGNITO_CLIENT_ID")
# Staff sign in there too, where both are set: the pool's own sign-in pages, and the app client that is this shop.
COGNITO_SIGN_IN_URL = env.text("COGNITO_SIGN_IN_URL", "").rstrip("/")
COGNITO_STAFF_CLIENT_ID = env.text("COGNITO_STAFF_CLIENT_ID", "")
# What the pool's groups may do here; who is in several may do what either may.
COGNITO_GROUPS = env.grants(
    "COGNITO_GROUPS",
    "admin=admin,staff=products.view products.edit stock.edit orders.view orders.ship customers.view",
    all_of_them="admin",
)
COGNITO_SIGNS_IN = bool(COGNITO_SIGN_IN_URL and COGNITO_STAFF_CLIENT_ID)
if COGNITO_SIGNS_IN and not COGNITO_ISSUER:
    raise env.BadSetting("COGNITO_SIGN_IN_URL and COGNITO_STAFF_CLIENT_ID need COGNITO_ISSUER, whose tokens say who signed in.")
if not (COGNITO_SIGN_IN_URL.startswith(("https://", "http://127.0.0.1:")) or not COGNITO_SIGN_IN_URL):
    raise env.BadSetting("COGNITO_SIGN_IN_URL must begin with https://.")

# --- Tables -----------------------------------------------------------------------------------------------------------

TABLE_PREFIX = env.text("TABLE_PREFIX", "")
AWS_REGION = env.text("AWS_REGION", env.text("AWS_DEFAULT_REGION", "us-east-1"))
# Unset on AWS. On a laptop it is the address of ministack; botocore and PynamoDB both obey it.
AWS_ENDPOINT_URL = env.text("AWS_ENDPOINT_URL", "")
# The folder infra/prune_botocore.py wrote: what botocore needs to know for the tables, and no more. Without it, botocore's own.
BOTOCORE_DATA = env.text("BOTOCORE_DATA", "")
# Over how many partitions the indexes by status and by date are spread; docs/scale.md says when more than one.
INDEX_PARTITIONS = env.integer("INDEX_PARTITIONS", 1, least=1)
MEDIA_BUCKET = env.text("MEDIA_BUCKET", "shop-media")
# Where browsers fetch product photographs: the CDN serves this path from the bucket, a laptop has a stand-in view there.
MEDIA_URL = env.text("MEDIA_URL", "/_local/media/" if LOCAL else "/media/").rstrip("/") + "/"

# The attributes shoppers may choose by beside a list, in this order: few values that products share, such as a colour.
FILTER_ATTRIBUTES = env.words("FILTER_ATTRIBUTES", "colour,color,size")
# Further origins product photographs may come from, for items whose `images` are addresses elsewhere.
IMAGE_ORIGINS = env.words("IMAGE_ORIGINS")
# How often a process looks whether a newer search index was published.
SEARCH_LOOK_SECONDS = env.integer("SEARCH_LOOK_SECONDS", 2 if LOCAL else 30)

# The OpenSearch domain that lists are searched in, for catalogues that outgrow the index in the function (docs/scale.md).
OPENSEARCH_URL = env.text("OPENSEARCH_URL", "").rstrip("/")
if not (OPENSEARCH_URL.startswith(("https://", "http://127.0.0.1:")) or not OPENSEARCH_URL):
    raise env.BadSetting("OPENSEARCH_URL must begin with https://.")

# --- Money ------------------------------------------------------------------------------------------------------------

CURRENCY = env.text("CURRENCY", "USD")
# Which tax is due where; without a table, TAX_RATE is added everywhere. docs/pricing.md explains both tables.
TAX_RULES = env.table("TAX_RULES", tax_rules_from, [{"rate": env.decimal("TAX_RATE", "0.08", most=1)}])
INVOICE_SELLER = [line.strip() for line in env.text("INVOICE_SELLER", SHOP_NAME).split("|")]
# The ways of sending; without a table, two that go everywhere.
DELIVERY_METHODS = env.table(
    "DELIVERY_METHODS",
    partial(tariffs_from, currency=CURRENCY),
    [
        {
            "code": "standard",
            "name": "Standard delivery",
            "days": [3, 5],
            "rates": [{"price": env.decimal("DELIVERY_STANDARD", "9.99")}],
        },
        {
            "code": "express",
            "name": "Express delivery",
            "days": [1, 2],
            "rates": [{"price": env.decimal("DELIVERY_EXPRESS", "24.99")}],
        },
    ],
)
STRIPE_SECRET_KEY = env.text("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRET = env.text("STRIPE_WEBHOOK_SECRET")
STRIPE_API_ORIGIN = env.text("STRIPE_API_ORIGIN", "https://api.stripe.com").rstrip("/")
STRIPE_CHECKOUT_ORIGIN = env.text("STRIPE_CHECKOUT_ORIGIN", "https://checkout.stripe.com").rstrip("/")

# --- Mail -------------------------------------------------------------------------------------------------------------

EMAIL_BACKEND = env.text("EMAIL_BACKEND", "anymail.backends.amazon_ses.EmailBackend")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", f"{SHOP_NAME} <shop@example.com>")
SUPPORT_EMAIL = env.text("SUPPORT_EMAIL", parseaddr(DEFAULT_FROM_EMAIL)[1])
# Who is told that a product is low or sold out; nobody without it.
STAFF_MAIL = env.text("STAFF_MAIL", "")
# A service that hangs must not use up the stream's minute, in which other records wait. The stream itself tries again.
_SES_CLIENT = {"connect_timeout": 1, "read_timeout": 5, "retries": {"total_max_attempts": 1}}
ANYMAIL = {"AMAZON_SES_CLIENT_PARAMS": {"region_name": AWS_REGION, "config": _SES_CLIENT}}

# --- Static files -----------------------------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = WHITENOISE_AUTOREFRESH = LOCAL
STORAGES = {
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if LOCAL
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    }
}

# --- Pages that are kept ----------------------------------------------------------------------------------------------

# How many shared pages a process keeps as they were drawn (compressed, about 6 KB each). Templates that change need drawing anew.
KEPT_PAGES = 0 if DEBUG else env.integer("KEPT_PAGES", 256)

# --- Cache ------------------------------------------------------------------------------------------------------------

# A Redis (ElastiCache) that all processes share, such as rediss://host:6379/0. Without it each process keeps a little for itself.
CACHE_URL = env.text("CACHE_URL", "")
CACHES = {
    "default": {"BACKEND": "shop.lib.caches.ForgivingRedisCache", "LOCATION": CACHE_URL}
    if CACHE_URL
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
}
# Products are kept only where a write can forget them for everybody: a process of its own would go on showing the old price.
PRODUCT_CACHE_SECONDS = env.integer("PRODUCT_CACHE_SECONDS", 60) if CACHE_URL else 0

# --- Logs -------------------------------------------------------------------------------------------------------------

_LOG_LEVEL = env.text("LOG_LEVEL", "INFO")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"without_secrets": {"()": "shop.lib.logs.WithoutSecrets"}},
    "formatters": {"line": {"format": "{levelname} {name} {message}", "style": "{"}},
    # The handler has the level as well: Django gives its own loggers one, and what they let through asks no other.
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "level": _LOG_LEVEL, "formatter": "line", "filters": ["without_secrets"]}
    },
    "root": {"handlers": ["stderr"], "level": _LOG_LEVEL},
    # They tell at INFO of every start where settings were not found and which credentials were.
    "loggers": {
        name: {"level": "WARNING"}
        for name in (
            "pynamodb",
            "botocore",
            "boto3",
            "urllib3",
            "stripe",
            "opensearch",
            "opensearchpy.trace",
        )
    },
}
if LOCAL:
    LOGGING["filters"]["without_files"] = {"()": "shop.local.logs.WithoutFiles", "addresses": [STATIC_URL, MEDIA_URL]}
    LOGGING["filters"]["with_templates"] = {"()": "shop.local.logs.WithTemplates"}
    LOGGING["handlers"]["stderr"]["filters"].append("with_templates")
    LOGGING["filters"]["without_mistakes"] = {"()": "shop.local.logs.WithoutMistakes"}
    LOGGING["filters"]["without_refusals"] = {"()": "shop.local.logs.WithoutRefusals"}
    LOGGING["loggers"]["django.request"] = {"filters": ["without_mistakes", "without_refusals"]}
    # As Django sets it up for runserver, and filtered.
    LOGGING["formatters"]["server"] = {
        "()": "django.utils.log.ServerFormatter",
        "format": "[{server_time}] {message}",
        "style": "{",
    }
    LOGGING["handlers"]["server"] = {"class": "logging.StreamHandler", "formatter": "server", "filters": ["without_files"]}
    LOGGING["loggers"]["django.server"] = {"handlers": ["server"], "level": "INFO", "propagate": False}

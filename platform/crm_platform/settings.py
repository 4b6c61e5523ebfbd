"""Settings of every process; what differs between places comes from `ops.environment`."""

from pathlib import Path
from typing import Any

import django_stubs_ext
from django.utils.translation import gettext_lazy as _

from crm_platform.ops import environment

django_stubs_ext.monkeypatch()
ENVIRONMENT = environment.current()
PACKAGE_DIR = Path(__file__).resolve().parent
BASE_DIR = PACKAGE_DIR.parents[1]

SECRET_KEY = ENVIRONMENT.secret_key
SECRET_KEY_FALLBACKS = list(ENVIRONMENT.secret_key_fallbacks)
DEBUG = False

# -- where we are reached ------------------------------------------------------------------------
BASE_DOMAIN = ENVIRONMENT.base_domain
PUBLIC_HOST = BASE_DOMAIN
OPERATORS_HOST = f"operators.{BASE_DOMAIN}"
# Every host name is looked up by our own middleware, which answers a plain page to a stranger.
ALLOWED_HOSTS = ["*"]
USE_X_FORWARDED_HOST = False
ROOT_URLCONF = "crm_platform.urls_public"
TENANT_URLCONF = "crm_platform.urls_tenant"
OPERATORS_URLCONF = "crm_platform.urls_operators"
WSGI_APPLICATION = "crm_platform.wsgi.application"
APPEND_SLASH = True

# -- apps: the platform's schema and each company's ----------------------------------------------
SHARED_APPS = [
    "tenants",
    "tenants.upgrades",
    "tenants.backups",
    "billing",
    "crm_platform.identity",
    "crm_platform.signup",
    "crm_platform.console",
]
TENANT_APPS = [
    "crm_platform.identity",
    "crm_core.registry",
    "crm_core.audit",
    "crm_core.fields",
    "crm_core.notify",
    "crm_core.records",
    "crm_core.activities",
    "crm_core.sales",
    "crm_core.exchange",
    "crm_core.leaving",
    "crm_core.search",
    "crm_core.web",
    "billing.seats",
]
INSTALLED_APPS = [
    "django_cotton",
    "django_htmx",
    "crm_platform.ui",
    "crm_platform.ops",
    *SHARED_APPS,
    *[app for app in TENANT_APPS if app not in SHARED_APPS],
    "rest_framework",
    "drf_spectacular",
    "api",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]
AUTH_USER_MODEL = "identity.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MIDDLEWARE = [
    "crm_platform.ui.middleware.security_headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "crm_platform.ops.middleware.RequestLog",
    "tenants.middleware.CompanyOfHost",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "crm_platform.identity.middleware.SignedInPerson",
    "crm_platform.ui.middleware.language",
    "crm_platform.ui.middleware.time_zone",
    "django_htmx.middleware.HtmxMiddleware",
    "crm_platform.ui.refusals.Refusals",
    "crm_platform.identity.middleware.SecondFactorFirst",
    "crm_platform.console.middleware.SupportVisitor",
]

# -- databases -----------------------------------------------------------------------------------
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **ENVIRONMENT.database,
        "ENGINE": "crm_platform.kernel.db.company",
        "CONN_MAX_AGE": 1800,
        "ATOMIC_REQUESTS": False,
    }
}
if ENVIRONMENT.database_pool:  # docs/adr/0009-connections.md
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),
        "pool": {
            "min_size": 1, "max_size": ENVIRONMENT.database_pool, "max_lifetime": 1800,
            "max_idle": 300, "timeout": 10,
        },
    }  # fmt: skip
if ENVIRONMENT.database_owner is not None:
    DATABASES["owner"] = {**ENVIRONMENT.database_owner, "ENGINE": "crm_platform.kernel.db.owner"}
SHARDING = ENVIRONMENT.sharding
DATABASE_ROUTERS = ["crm_platform.kernel.router.Router"]

# Lower layers call higher ones by these names, never by import.
COMPANY_RESOLVER = "tenants.queries.working_scope"
COMPANY_BY_SLUG = "tenants.queries.scope_of_slug"
COMPANY_ERASERS = [
    "crm_platform.signup.services.forget_company",
    "tenants.upgrades.services.forget_company",
    "billing.erasing.forget_company",
]
COMPANY_SEEDERS = ["crm_core.web.services.seed_company"]
MAIL_FILES = "billing.letters.files_of"
TASK_FAILURE_RECORDER = "crm_platform.console.services.failures.record"
IMPORT_SWEEPER = "crm_core.web.sweeping.sweep"
SETTINGS_NAV = "crm_core.web.settings_nav.settings_nav"

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": ENVIRONMENT.redis_url,
        "KEY_FUNCTION": "crm_platform.kernel.cache.company_key",
        "TIMEOUT": 300,
    }
}

# -- files ---------------------------------------------------------------------------------------
MEDIA_ROOT = str(ENVIRONMENT.media_root)
STATIC_ROOT = str(ENVIRONMENT.static_root)
STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "crm_platform.kernel.storage.CompanyStorage"},
    "staticfiles": {"BACKEND": "crm_platform.ui.storage.Static"},
}
BACKUP_STORE_URL = ENVIRONMENT.backup_store or ""
BACKUP_STORE = f"tenants.backups.{'s3.Bucket' if BACKUP_STORE_URL else 'store.Directory'}"
BACKUP_DIR = str(ENVIRONMENT.backup_dir)
# The key that locks new archives, then those that may still open old ones.
BACKUP_KEYS = [key for key in (ENVIRONMENT.backup_key, *ENVIRONMENT.backup_key_fallbacks) if key]
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# -- templates and languages ---------------------------------------------------------------------
LOADERS = [
    (
        "django.template.loaders.cached.Loader",
        ["django_cotton.cotton_loader.Loader", "django.template.loaders.app_directories.Loader"],
    )
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "OPTIONS": {
            "loaders": LOADERS,
            "builtins": [
                "crm_platform.ui.templatetags.ui",
                "django.templatetags.i18n",
                "django.templatetags.static",
                "django_cotton.templatetags.cotton",
            ],
            "context_processors": [
                "django.template.context_processors.request",
                "crm_platform.ui.context.ui",
                "crm_core.web.context.shell",
                "crm_platform.console.context.own_pages",
            ],
        },
    }
]
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("zh-hant", "繁體中文"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale" if (BASE_DIR / "locale").exists() else PACKAGE_DIR / "locale"]
FORMAT_MODULE_PATH = ["crm_platform.ui.formats"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# -- the life of a company -----------------------------------------------------------------------
# Days in each state before the clock moves a company on, and of what else has an end.
LIFECYCLE_DAYS: dict[str, Any] = {
    "trial": 14,
    "past_due_after_trial": 7,
    "past_due": 14,
    "read_only": 30,
    "suspended": 30,
    "closed": 30,
    "warnings": (7, 1),
    "old_address": 90,
    "domain_check": 7,
    "domain_quarantine": 90,
}
# Which name server is asked about companies' own hosts: ("", 53) is the machine's own.
DNS_SERVER: tuple[str, int] = ("", 53)
# What a company's own host points at, as a CNAME; the TLS proxy answers there.
CNAME_TARGET = f"domains.{BASE_DOMAIN}"
_ENTRY = frozenset(
    f"identity:{name}" for name in ("sign_in", "sign_out", "forgot", "reset", "enter")
)
_OWN_SAFETY = frozenset(
    f"identity:{name}"
    for name in ("prefs", "change_password", "end_session", "end_other_sessions", "revoke_token")
)
_RENTING = frozenset(
    f"web:billing{name}" for name in ("", "_check", "_start", "_buyer", "_invoice", "_card", "_pay")
)
_WAY_BACK = _RENTING | frozenset({"web:standing", "web:ask_operators", "web:reopen"})
# Where a read-only company writes its notes: who came in, from where, what was exported.
READ_ONLY_DOORS = _ENTRY | _OWN_SAFETY | _WAY_BACK | {"exchange:export", "web:close_company"}
# What of a suspended or closed company answers at all.
BARRED_DOORS = _ENTRY | _WAY_BACK | {"identity:prefs"}

# -- neighbours: what one company may ask for, unless operators said otherwise ---------------------
COMPANY_LIMITS = {
    "api_requests": 3000,
    "api_key_requests": 600,
    "long_jobs": 1,
    "imports": 10,
    "import_rows": 300_000,
    "import_mb": 50,
}

# -- billing -------------------------------------------------------------------------------------
# Who takes a seat is asked here by `identity`, which knows of no billing.
SEAT_KEEPER = "billing.seats.services"
# Chinese in invoices: a TrueType font with Latin letters too (Debian: fonts-wqy-microhei).
PDF_FONT = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
BILLING: dict[str, Any] = {
    # What stands on invoices. `key` begins their numbers.
    "seller": {
        "key": "R",
        "name": "Rapport",
        "address": "",
        "tax_id": "",
        "bank": "",
        "email": f"billing@{BASE_DOMAIN}",
        **ENVIRONMENT.seller,
    },
    "due_days": 14,
    # Credit that one operator may give alone within 30 days, in counted units; others need two.
    "credit_alone": {
        "USD": 20_000,
        "EUR": 20_000,
        "GBP": 20_000,
        "TWD": 600_000,
        "CNY": 150_000,
        "HKD": 160_000,
        "SGD": 27_000,
        "JPY": 30_000,
        "KRW": 280_000,
    },
    # Before a company is moved to another version of its plan, its owners know it so long.
    "notice_days": 30,
    # Tax the seller adds, by the buyer's country; "" for all others. Thousandths.
    "tax_permille": {"": 0},
    # What is left of a month's rent after running the service; for the lifetime value alone.
    "margin_percent": 80,
}

# Paying by card, where a key is given (billing/providers).
STRIPE: dict[str, Any] = {
    "key": ENVIRONMENT.stripe_key or "",
    "secrets": ENVIRONMENT.stripe_webhook_secrets,
    "address": ENVIRONMENT.stripe_address or "",
    "is_live": "_live_" in (ENVIRONMENT.stripe_key or ""),
    "automatic_tax": ENVIRONMENT.stripe_tax == "automatic",
}

# -- people --------------------------------------------------------------------------------------
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
]
SECURE_COOKIES = ENVIRONMENT.public_scheme == "https"
# `__Host-` binds a cookie to one host name, so that no other company's host can set or see it.
SESSION_COOKIE_NAME = "__Host-session" if SECURE_COOKIES else "session"
SESSION_COOKIE_DOMAIN = None
SESSION_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE_COOKIES else "csrf"
CSRF_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_DOMAIN = None
CSRF_FAILURE_VIEW = "crm_platform.ui.views.csrf_failure"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SECURE_COOKIES else None
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 31_536_000 if SECURE_COOKIES else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_COOKIES
SECURE_HSTS_PRELOAD = SECURE_COOKIES
X_FRAME_OPTIONS = "DENY"
TRUSTED_PROXY_COUNT = ENVIRONMENT.trusted_proxy_count

# -- mail ----------------------------------------------------------------------------------------
if ENVIRONMENT.email_url:
    globals().update(ENVIRONMENT.email)
else:
    EMAIL_BACKEND = "tenants.demo_mail.OutboxBackend"
DEFAULT_FROM_EMAIL = f"Rapport <no-reply@{BASE_DOMAIN}>"
EMAIL_TIMEOUT = 10

# -- background work -----------------------------------------------------------------------------
CELERY_BROKER_URL = ENVIRONMENT.celery_broker_url
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 900}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(Path(MEDIA_ROOT).parent / "beat-schedule")
CELERY_BEAT_SCHEDULE: dict[str, Any] = {
    "finish companies": {"task": "tenants.tasks.sweep_companies", "schedule": 60.0},
    "upgrade companies": {"task": "tenants.upgrades.tasks.ring_for_upgrades", "schedule": 60.0},
    "refill spares": {"task": "tenants.upgrades.tasks.refill_spares", "schedule": 30.0},
    "sweep dry runs": {"task": "tenants.upgrades.tasks.sweep_preflights", "schedule": 120.0},
    "measure companies": {"task": "tenants.tasks.measure_companies", "schedule": 300.0},
    "send waiting mail": {"task": "tenants.tasks.sweep_mail", "schedule": 60.0},
    "keep the life of companies": {"task": "tenants.tasks.keep_lifecycle", "schedule": 600.0},
    "keep billing": {"task": "billing.tasks.keep_billing", "schedule": 600.0},
    "sweep billing": {"task": "billing.tasks.sweep_billing", "schedule": 3600.0},
    **(
        {
            "tell providers": {"task": "billing.tasks.tell_providers", "schedule": 15.0},
            "hear providers": {"task": "billing.tasks.hear_providers", "schedule": 5.0},
            "fill gaps": {"task": "billing.tasks.fill_gaps", "schedule": 3600.0},
            "compare providers": {"task": "billing.tasks.compare_providers", "schedule": 86_400.0},
        }
        if ENVIRONMENT.stripe_key
        else {}
    ),
    "keep billing figures": {"task": "billing.tasks.keep_figures", "schedule": 3600.0},
    "look at own domains again": {"task": "tenants.tasks.check_domains", "schedule": 3600.0},
    "survey companies": {"task": "crm_platform.console.tasks.survey_companies", "schedule": 300.0},
    "erase companies": {"task": "tenants.tasks.sweep_erasures", "schedule": 120.0},
    "expire approvals": {"task": "crm_platform.console.tasks.expire_approvals", "schedule": 600.0},
    "end support visits": {"task": "crm_platform.console.tasks.sweep_support", "schedule": 60.0},
    "dispatch backups": {"task": "tenants.backups.tasks.dispatch", "schedule": 300.0},
    "resume imports": {"task": "tenants.tasks.sweep_imports", "schedule": 60.0},
}

# -- the API -------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["api.auth.TokenAuthentication", "api.auth.PageSession"],
    "DEFAULT_PERMISSION_CLASSES": ["api.auth.SignedIn"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "api.errors.problem",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "NUM_PROXIES": ENVIRONMENT.trusted_proxy_count,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Rapport",
    "DESCRIPTION": _("Accounts, contacts, deals, pipelines and activities of your company."),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
}

# -- logs ----------------------------------------------------------------------------------------
LOGGING_CONFIG = "crm_platform.ops.logging.configure"
LOGGING = {"level": ENVIRONMENT.log_level, "format": ENVIRONMENT.log_format}
SILENCED_SYSTEM_CHECKS = [
    "security.W001",  # SecurityMiddleware: crm_platform.ui.middleware sends its headers
    "security.W008",  # the TLS proxy redirects
]

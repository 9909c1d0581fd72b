"""A small real Django project: admin, sessions, uploads, streams; its data in DATA_DIR.

With SITE_ALONE it is served as ``configs/django-alone.ini`` has it: the server gives its static files, by
their hashed names, and says who the user is.
"""

import os
import tempfile
from pathlib import Path

DATA_DIR = Path(os.environ.get("DATA_DIR", tempfile.gettempdir()))
SECRET_KEY = "only for tests"  # a test site's
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.sites.django_site.urls"
WSGI_APPLICATION = "tests.sites.django_site.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA_DIR / "site.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
STATIC_URL = "/static/"
USE_TZ = True
TIME_ZONE = "UTC"
LOGGING = {
    "version": 1,
    "handlers": {"stderr": {"class": "logging.StreamHandler"}},
    "loggers": {"django.request": {"handlers": ["stderr"]}},
}
FILE_UPLOAD_MAX_MEMORY_SIZE = 100_000

if "SITE_ALONE" in os.environ:
    INSTALLED_APPS.append("django.contrib.staticfiles")
    STATIC_ROOT = DATA_DIR / "static"
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"},
    }
    MIDDLEWARE.append("django.contrib.auth.middleware.RemoteUserMiddleware")
    AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]

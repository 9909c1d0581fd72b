"""A Django project in one file that serves the files of ``BENCHMARK_STATIC`` by WhiteNoise.

It runs in the servers' processes, is imported only by the server of that peer, and knows no server.
"""

import os

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application

urlpatterns: list[object] = []

settings.configure(
    DEBUG=False,
    SECRET_KEY="only for measuring",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    LOGGING_CONFIG=None,
    STATIC_URL="/static/",
    STATIC_ROOT=os.environ["BENCHMARK_STATIC"],
    INSTALLED_APPS=["django.contrib.staticfiles"],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "whitenoise.middleware.WhiteNoiseMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
)
django.setup()
application = get_wsgi_application()

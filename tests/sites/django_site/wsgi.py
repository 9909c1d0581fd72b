"""The Django site's WSGI application; makes its database and its admin on the first start."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.sites.django_site.settings")

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
call_command("migrate", verbosity=0)


def make_admin() -> None:
    from django.contrib.auth import get_user_model

    users = get_user_model().objects
    if not users.filter(username="admin").exists():
        users.create_superuser("admin", "admin@example.org", "secret")


make_admin()

"""A Django project in one file: one view, a template with inheritance and a loop, Django's usual middleware.

It runs in the servers' processes, is imported only where a server of the Django scenario loads it, and knows
no server. Without a database: what is measured is the server under a framework, not the framework's storage.
"""

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

BASE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{% block title %}Shop{% endblock %}</title></head>
<body><header><a href="{% url 'page' %}">Shop</a></header>
<main>{% block main %}{% endblock %}</main><footer>{{ items|length }} items</footer></body></html>
"""
PAGE = """{% extends "base.html" %}
{% block title %}{{ title|title }} - {{ block.super }}{% endblock %}
{% block main %}<h1>{{ title }}</h1><table>
{% for item in items %}<tr class="{% cycle 'odd' 'even' %}"><td>{{ forloop.counter }}</td>
<td>{{ item.name }}</td><td>{{ item.price|floatformat:2 }}</td>{% if item.new %}<td>new</td>{% endif %}</tr>
{% endfor %}</table>{% endblock %}
"""
LOADER = ("django.template.loaders.locmem.Loader", {"base.html": BASE, "page.html": PAGE})
ITEMS = [{"name": f"item <{number}>", "price": number * 1.25, "new": number % 3 == 0} for number in range(20)]


def page(request: HttpRequest) -> HttpResponse:
    """Twenty rows of a table in a page."""
    return render(request, "page.html", {"title": "things to buy", "items": ITEMS})


urlpatterns = [path("", page, name="page")]

settings.configure(
    DEBUG=False,
    SECRET_KEY="only for measuring",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    LOGGING_CONFIG=None,
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": [("django.template.loaders.cached.Loader", [LOADER])]},
        }
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
)
django.setup()
application = get_wsgi_application()

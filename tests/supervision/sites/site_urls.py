"""What is added to the copied Django site's urls: a view that says who answered, by way of the session's
middleware, the template engine and the database."""

import importlib
import os
import time
from typing import Any

from django.http import HttpResponse
from django.template import engines

GENERATION: int = importlib.import_module("shop.mark").GENERATION
TEXT = "{% for row in rows %}{% if forloop.counter %}{{ row }}{% endif %}{% endfor %}"
PAGE = engines["django"].from_string(TEXT)


def identify(request: Any, number: str) -> Any:
    """The reply that the counting client expects."""
    time.sleep(float(request.GET.get("sleep", "0")))
    size = int(request.GET.get("size", "100"))
    head = f"{number} {os.getpid()} {GENERATION} "
    return HttpResponse(PAGE.render({"rows": [head, "." * (size - len(head))]}), content_type="text/plain")

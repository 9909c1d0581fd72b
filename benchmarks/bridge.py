"""A WSGI application as ASGI, for uvicorn: a2wsgi with as many threads as the other servers have.

It runs in uvicorn's process; the environment names the application (``BENCHMARK_APPLICATION``) and the
threads (``BENCHMARK_THREADS``). It knows nothing else.
"""

import importlib
import os

from a2wsgi import WSGIMiddleware

_module, _, _name = os.environ["BENCHMARK_APPLICATION"].partition(":")
application = WSGIMiddleware(
    getattr(importlib.import_module(_module), _name), workers=int(os.environ["BENCHMARK_THREADS"])
)

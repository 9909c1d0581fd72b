"""penstock: a WSGI server for HTTP/1.1 and uwsgi."""

__version__ = "0.1.0"

"""The names of ``wsgiref.simple_server``: a script that imports them from there works with this import."""

from wsgiref.simple_server import demo_app

from penstock.process.embed import WSGIRequestHandler, WSGIServer, make_server

__all__ = ["WSGIRequestHandler", "WSGIServer", "demo_app", "make_server"]

"""Compares penstock with a real uWSGI, key by key and byte by byte (``make compat``)."""

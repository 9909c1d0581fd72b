"""What a rule's action tells the table that runs it, and the phases that tables belong to (uWSGI's words).

Plain names, read by pool threads; nothing here knows rules or requests.
"""

NEXT, CONTINUE, BREAK = 0, 1, 2
"""Go on with the next rule; stop, and let the application answer; stop, the answer is given."""

JUMP = 3
"""A step's answer from here on is JUMP plus the number of the step that follows; the table's alone."""

REQUEST, RESPONSE, ERROR, FINAL = "request", "response", "error", "final"
"""Before the application; when a reply's head is made; when a reply has its status; behind the reply, before
the log line (``route``, ``response-route``, ``error-route``, ``final-route``)."""

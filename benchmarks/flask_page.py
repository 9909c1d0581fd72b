"""A Flask application that answers JSON, as a small service does; runs in the servers' processes.

It is imported only where a server of the Flask scenario loads it, and knows no server.
"""

from flask import Flask, Response, jsonify

application = Flask(__name__)
ITEMS = [{"id": number, "name": f"item {number}", "price": number * 1.25} for number in range(10)]


@application.get("/")
def items() -> Response:
    """Ten records as JSON."""
    return jsonify(message="Hello, World!", items=ITEMS)

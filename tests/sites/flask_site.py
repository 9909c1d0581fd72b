"""A small real Flask application."""

import hashlib
from collections.abc import Iterator
from typing import Any

import flask

app = flask.Flask(__name__)
app.secret_key = "only for tests"


@app.get("/")
def home() -> Any:
    flask.session["visits"] = flask.session.get("visits", 0) + 1
    return {"visits": flask.session["visits"], "scheme": flask.request.scheme, "host": flask.request.host}


@app.post("/upload")
def upload() -> Any:
    file = flask.request.files["file"]
    data = file.read()
    return {"name": file.filename, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}


@app.post("/raw")
def raw() -> Any:
    return {"size": len(flask.request.get_data()), "length": flask.request.headers.get("Content-Length")}


@app.get("/stream")
def stream() -> Any:
    def lines() -> Iterator[str]:
        for number in range(100):
            yield f"line {number}\n"

    return flask.Response(lines(), mimetype="text/plain")


@app.get("/download")
def download() -> Any:
    from io import BytesIO

    return flask.send_file(BytesIO(b"0123456789" * 50_000), download_name="digits.txt", as_attachment=True)


@app.get("/error")
def error() -> Any:
    raise ValueError("the Flask site fails on purpose")


@app.post("/refuse")
def refuse() -> Any:
    return "no thanks", 403


application = app

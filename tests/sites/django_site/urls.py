"""Views of the Django site."""

import hashlib
import tempfile
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.http import FileResponse, HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


def home(request: Any) -> Any:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return JsonResponse(
        {"visits": request.session["visits"], "scheme": request.scheme, "host": request.get_host()}
    )


@csrf_exempt
def upload(request: Any) -> Any:
    file = request.FILES["file"]
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    return JsonResponse({"name": file.name, "size": file.size, "sha256": digest.hexdigest()})


@csrf_exempt
def raw(request: Any) -> Any:
    return JsonResponse({"size": len(request.body), "length": request.META.get("CONTENT_LENGTH")})


def stream(request: Any) -> Any:
    def lines() -> Iterator[str]:
        for number in range(100):
            yield f"line {number}\n"

    return StreamingHttpResponse(lines(), content_type="text/plain")


def download(request: Any) -> Any:
    file = tempfile.TemporaryFile()
    file.write(b"0123456789" * 50_000)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename="digits.txt")


def error(request: Any) -> Any:
    raise ValueError("the Django site fails on purpose")


def refuse(request: Any) -> Any:
    return HttpResponse("no thanks", status=403)


urlpatterns = [
    path("", home),
    path("admin/", admin.site.urls),
    path("upload", upload),
    path("raw", raw),
    path("stream", stream),
    path("download", download),
    path("error", error),
    path("refuse", csrf_exempt(refuse)),
]

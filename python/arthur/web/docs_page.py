"""The API page: one HTML document, made of the OpenAPI document, with nothing to load and no script."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from html import escape
from typing import Any

import orjson

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f;background:#fff}
h2{margin-top:2.5rem;border-bottom:1px solid #ddd}code,pre{font:14px/1.45 ui-monospace,monospace}
pre{background:#f4f4f6;padding:.7rem;overflow:auto}details{border:1px solid #ddd;border-radius:6px;margin:.5rem 0}
summary{padding:.5rem .8rem;cursor:pointer}details>div{padding:0 .8rem .8rem}
b.method{display:inline-block;min-width:4.5rem}table{border-collapse:collapse;width:100%}
td,th{text-align:left;padding:.25rem .6rem .25rem 0;vertical-align:top;border-top:1px solid #eee}
@media(prefers-color-scheme:dark){body{color:#e6e6ea;background:#16161a}pre{background:#222228}
details,h2,td,th{border-color:#3a3a42}}
"""


STYLE_HASH = f"sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}"
"""By which the page's own style is allowed, and no other."""


@lru_cache(maxsize=1)
def docs_page(openapi: bytes) -> bytes:
    """Return the page for an OpenAPI document."""
    document = orjson.loads(openapi)
    tags: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tags.setdefault(operation["tags"][0], []).append(_operation(method, path, operation))
    sections = "".join(f"<h2>{escape(tag)}</h2>{''.join(shown)}" for tag, shown in tags.items())
    schemas = "".join(_schema(name, schema) for name, schema in document["components"]["schemas"].items())
    title = f"{document['info']['title']} {document['info']['version']}"
    page = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} API</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1><p>{escape(document['info']['description'])} Errors are problems (RFC 9457). "
        "Machines read <code>/api/v1/openapi.json</code>; the progress of the index is told on the WebSocket "
        f"<code>/ws/index-progress</code>.</p>{sections}<h2>models</h2>{schemas}</body></html>"
    )
    return page.encode()


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    rows = "".join(_parameter(one) for one in operation["parameters"])
    table = f"<table><tr><th>parameter</th><th>in</th><th>schema</th></tr>{rows}</table>" if rows else ""
    media = ", ".join(operation.get("requestBody", {}).get("content", ()))
    body = f"<p>Body: <code>{escape(media)}</code></p>" if media else ""
    answers = "".join(
        f"<tr><td>{status}</td><td>{escape(answer['description'])}</td><td>{_models(answer)}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    return (
        f'<details><summary><b class="method">{method.upper()}</b> <code>{escape(path)}</code> '
        f"{escape(operation['summary'])}</summary><div><p>{escape(operation.get('description', ''))}</p>"
        f"<p>{_needed(operation)}</p>{table}{body}"
        f"<pre>{escape(_curl(method, path, operation))}</pre><table>{answers}</table></div></details>"
    )


def _needed(operation: dict[str, Any]) -> str:
    """Say which key an operation needs, where keys are demanded."""
    scopes = {scope for scheme in operation["security"] for roles in scheme.values() for scope in roles}
    return f"API key: <code>{escape(scopes.pop())}</code>" if scopes else "No API key needed."


def _parameter(parameter: dict[str, Any]) -> str:
    schema = orjson.dumps(parameter["schema"]).decode()
    told = escape(parameter.get("description", ""))
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code><br>{told}</td><td>{parameter['in']}</td>"
        f"<td><code>{escape(schema)}</code></td></tr>"
    )


def _models(answer: dict[str, Any]) -> str:
    names = [
        one["schema"].get("$ref", "").rpartition("/")[2] or media for media, one in answer.get("content", {}).items()
    ]
    return ", ".join(f"<code>{escape(name)}</code>" for name in names)


def _curl(method: str, path: str, operation: dict[str, Any]) -> str:
    """Return a command that does this."""
    for parameter in operation["parameters"]:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", parameter["example"])
    content = operation.get("requestBody", {}).get("content", {})
    data = ""
    if "image/*" in content:
        data = " -H 'Content-Type: image/jpeg' --data-binary @photo.jpg"
    elif "multipart/form-data" in content:
        data = " -F image=@one.jpg -F image=@two.jpg"
    return f"curl -X {method.upper()}{data} http://127.0.0.1:9000{path}"


def _schema(name: str, schema: dict[str, Any]) -> str:
    pretty = orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode()
    return f"<details><summary><code>{escape(name)}</code></summary><div><pre>{escape(pretty)}</pre></div></details>"

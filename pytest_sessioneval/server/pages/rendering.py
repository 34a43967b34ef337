"""Pages as HTML: templates in which text of strangers is text, and what a browser may load."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pytest_sessioneval import __version__
from pytest_sessioneval.reports.neutralise import clean, one_line
from pytest_sessioneval.reports.wording import counted, points

__all__ = ["HEADERS", "POLICY", "STATIC", "page", "static_file"]

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""What a page may load and where its forms may go: this server, and only what is named here."""

HEADERS: Mapping[str, str] = {
    "content-security-policy": POLICY,
    # With no referrer at all a browser would not say, either, where a form was sent from.
    "referrer-policy": "same-origin",
}
"""What every page's answer says, beside what the guard adds to every answer."""

STATIC: Mapping[str, str] = {
    "style.css": "text/css; charset=utf-8",
    "live.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
"""The files that pages load, and what they are."""

_HERE = __package__ or ""
_VERSION_CHARS = 12


def page(template: str, **values: object) -> str:
    """Return the page of a template.

    Every text in ``values`` stands on it as text: escaped, and without
    characters that steer a terminal or reorder what is read.
    """
    return _environment().get_template(template).render(values)


@cache
def static_file(name: str) -> tuple[bytes, str]:
    """Return a file that pages load, and a name of its content that changes with it."""
    content = files(_HERE).joinpath("static", name).read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:_VERSION_CHARS]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(_HERE, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_neutral,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "points": points,
        "one_line": one_line,
        "counted": counted,
        "when": _when,
        "words": _words,
        "shape": _shape,
        "static": _static_url,
        "breakable": _breakable,
    }
    environment.globals["version"] = __version__
    return environment


def _neutral(value: object) -> object:
    """Return text without what could steer whoever reads the page; markup is our own."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _when(at: datetime | None) -> Markup:
    """Return a time to the minute, its zone left to the foot of the page; empty: not known."""
    if at is None:
        return Markup()
    return Markup('<time datetime="{}">{}</time>').format(
        at.isoformat(), at.strftime("%Y-%m-%d %H:%M")
    )


def _breakable(name: str, limit: int = 60) -> Markup:
    """Return a name that a narrow column breaks after its underscores, not within words."""
    return Markup("_<wbr>").join(one_line(name, limit).split("_"))


def _words(name: str) -> str:
    """Return a name of a state or reason as words: ``below threshold``."""
    return name.replace("_", " ")


_SHAPES = {
    **dict.fromkeys(("evaluated", "passed", "done", "ok", "completed"), "full"),
    **dict.fromkeys(("pending", "queued", "not_run", "skipped"), "hollow"),
    **dict.fromkeys(("stale", "interrupted", "cancelled"), "half"),
    "running": "wedge",
}


def _shape(state: str) -> str:
    """Return the shape that stands beside a state's word; what is not known went wrong."""
    return _SHAPES.get(state, "cross")


def _static_url(name: str) -> str:
    return f"/static/{name}?{static_file(name)[1]}"

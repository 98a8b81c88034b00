"""The page of an imgbuild environment that ships no web application of its own."""

import platform
import socket
import tomllib
from importlib import metadata
from pathlib import Path

from fasthtml.common import (
    H1, H2, A, Body, Code, FastHTML, FileResponse, Footer, Head, Header, Html, Li, Link, Main, Meta,
    P, Script, Section, Span, Table, Tbody, Td, Th, Thead, Title, Tr, Ul,
)

HERE = Path(__file__).parent
ETC = Path("/etc/imgbuild")

# No session: the page keeps nothing, and a session key would be a file that a read-only root
# refuses.
app = FastHTML(default_hdrs=False, sess_cls=None, secret_key="unused")


def read_spec() -> dict:
    """The canonical spec of this image; empty where there is none."""
    try:
        return tomllib.loads((ETC / "spec.toml").read_text())
    except (OSError, tomllib.TOMLDecodeError):
        return {}


def read_services() -> list[tuple[str, int]]:
    """Name and port of each service that has one, from the supervisor's table."""
    services, name = [], ""
    try:
        lines = (ETC / "services").read_text().splitlines()
    except OSError:
        return []
    for line in lines:
        key, _, value = line.partition(" ")
        if key == "service":
            name = value
        elif key == "ready" and value.startswith(("tcp ", "http ")):
            services.append((name, int(value.split()[1])))
    return services


SPEC = read_spec()
SERVICES = read_services()
NAME = SPEC.get("image", {}).get("name", "environment")


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def status_table() -> Table:
    rows = []
    for name, port in SERVICES:
        up = answers(port)
        rows.append(Tr(Td(name), Td(Code(str(port))),
                       Td(Span("running" if up else "not answering", cls="up" if up else "down"))))
    return Table(Thead(Tr(Th("Service"), Th("Port"), Th("State"))), Tbody(*rows), id="status",
                 hx_get="/status", hx_trigger="every 3s", hx_swap="outerHTML")


def package_list() -> Table:
    found = {d.metadata["Name"]: d.version for d in metadata.distributions() if d.metadata["Name"]}
    rows = [Tr(Td(name), Td(Code(found[name]))) for name in sorted(found, key=str.lower)]
    return Table(Thead(Tr(Th("Package"), Th("Version"))), Tbody(*rows), id="packages")


def jupyter_url(host: str) -> str | None:
    ports = [port for name, port in SERVICES if "jupyter" in name]
    return f"http://{host}:{ports[0]}/lab" if ports else None


@app.get("/")
def home(request):
    url = jupyter_url(request.url.hostname or "127.0.0.1")
    links = [Li(A("Open JupyterLab", href=url),
                " with the token that the container printed when it started.")] if url else []
    links.append(Li("Put your own application here: lay its files into the image with ",
                    Code("[[files]]"), " and name it with ", Code("app"), " in ",
                    Code("[services.web]"), "."))
    return Html(
        Head(Meta(charset="utf-8"),
             Meta(name="viewport", content="width=device-width, initial-scale=1"),
             Title(NAME), Link(rel="stylesheet", href="/static/page.css"),
             Script(src="/static/htmx.min.js", defer=True)),
        Body(
            Header(H1(NAME), P(f"Python {platform.python_version()} on {platform.machine()}")),
            Main(
                Section(H2("Services"), status_table()),
                Section(H2("Where to go"), Ul(*links)),
                Section(H2("Python packages"),
                        P(A("Show all", href="/packages", hx_get="/packages",
                            hx_target="closest p", hx_swap="outerHTML")))),
            Footer(P("Made with imgbuild. The spec and lock of this image are in ",
                     Code("/etc/imgbuild"), "."))),
        lang="en")


@app.get("/status")
def status():
    return status_table()


@app.get("/packages")
def packages():
    return package_list()


@app.get("/static/{name}")
def static(name: str):
    if name not in ("htmx.min.js", "page.css"):
        return P("not found")
    return FileResponse(HERE / name)

"""The page of an imgbuild environment that ships no web application of its own."""

import hashlib
import platform
from pathlib import Path

from fasthtml.common import (
    H1, H2, A, Body, Caption, Code, Div, FastHTML, FileResponse, Footer, Form, Head, Header, Html,
    Input, Label, Li, Link, Main, Meta, P, Pre, Response, Script, Section, Span, Table, Tbody, Td,
    Th, Thead, Title, Tr, Ul, to_xml,
)

import facts

HERE = Path(__file__).parent
STATIC = {"htmx.min.js": "text/javascript", "page.css": "text/css"}
WORDS = {"waiting": "waits for others", "starting": "starting", "ready": "running",
         "ending": "ends", "backoff": "failed, starts again", "done": "finished",
         "stopped": "stopped by hand", "unknown": "unknown"}

# No session: the page keeps nothing, and a session key would be a file that a read-only root
# refuses.
app = FastHTML(default_hdrs=False, sess_cls=None, secret_key="unused")


def since(seconds: int) -> str:
    """Coarse, so that a page that is looked at does not change all the time."""
    if seconds < 60:
        return "just now"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h"


def service_row(service: facts.Service) -> Tr:
    word = WORDS.get(service.state, service.state)
    if service.state == "done" and service.exit != 0:
        word = f"failed with status {service.exit}"
    mark = "up" if service.ready else "down"
    return Tr(Th(service.name, scope="row"), Td(Code(str(service.port)) if service.port else "–"),
              Td(Span(word, cls=f"state {mark}")), Td(since(service.seconds)),
              Td(str(service.restarts)))


def service_panel() -> Div:
    services = facts.services()
    bad = [service.name for service in services if not service.ready]
    summary = "All services are running." if not bad else f"Not running: {', '.join(bad)}."
    heads = [Th(text, scope="col") for text in ("Service", "Port", "State", "Since", "Restarts")]
    table = Table(Caption("Services of this container", cls="hidden"), Thead(Tr(*heads)),
                  Tbody(*[service_row(service) for service in services]))
    mark = hashlib.sha256((to_xml(table) + summary).encode()).hexdigest()[:16]
    # Where nobody answers, what stands here is old, and says so.
    lost = P("The web service does not answer. Asking again.", cls="lost", role="alert", hidden=True)
    reached = "this.querySelector('.lost').hidden = event.detail.successful"
    # The browser says what it has; an answer without content changes nothing.
    return Div(P(summary, role="status"), lost,
               Div(table, cls="wide", tabindex="0", role="region", aria_label="Services"),
               id="services", data_mark=mark, hx_get=f"services?seen={mark}",
               hx_trigger="every 2s", hx_swap="outerHTML", **{"hx-on--after-request": reached})


def package_table(query: str) -> Div:
    found = facts.packages(query)
    rows = [Tr(Th(package.name, scope="row"), Td(Code(package.version)), Td(package.kind))
            for package in found]
    told = f"{len(found)} packages" + (f" with “{query}” in their names" if query else "")
    return Div(P(told, role="status"),
               Div(Table(Caption("Packages", cls="hidden"),
                         Thead(Tr(*[Th(text, scope="col") for text in ("Package", "Version", "Kind")])),
                         Tbody(*rows)), cls="wide", tabindex="0", role="region",
                   aria_label="Packages"),
               id="packages")


def package_search() -> Section:
    # Without scripts the form asks for a page of its own.
    return Section(
        H2("Packages", id="packages-title"),
        Form(Label("Find a package", fr="q"),
             Input(type="search", id="q", name="q", autocomplete="off", spellcheck="false",
                   hx_get="packages", hx_trigger="input changed delay:150ms, search, load",
                   hx_target="#packages", hx_swap="outerHTML"),
             action="packages", method="get", role="search"),
        Div(id="packages"), aria_labelledby="packages-title")


def links(host: str) -> Section:
    url = facts.jupyter_url(host)
    items = [Li(A("Open JupyterLab", href=url, cls="button"),
                " with the token that the container printed when it started.")] if url else []
    items.append(Li("This page is a placeholder. To serve your own application, lay its files into "
                    "the image and name it in the spec:",
                    Pre(Code('[[files]]\nfrom = "app"\nto = "/srv/app"\n\n[services.web]\n'
                             'preset = "fasthtml"\ndir = "/srv/app"\napp = "main:app"'),
                        tabindex="0")))
    return Section(H2("Where to go", id="links-title"), Ul(*items), aria_labelledby="links-title")


def document(title: str, *content) -> Html:
    machine = [f"Python {platform.python_version()}", platform.machine()]
    if cuda := facts.cuda():
        machine.append(cuda)
    return Html(
        Head(Meta(charset="utf-8"),
             Meta(name="viewport", content="width=device-width, initial-scale=1"),
             Title(title), Link(rel="stylesheet", href="static/page.css"),
             Link(rel="icon", href="data:,"), Script(src="static/htmx.min.js", defer=True)),
        Body(Header(H1(facts.name()), P(" · ".join(machine))), Main(*content),
             Footer(P("Made with imgbuild. The spec, the lock and the packages of this image are in ",
                      Code("/etc/imgbuild"), "."))),
        lang="en")


@app.get("/")
def home(request):
    host = request.url.hostname or "127.0.0.1"
    return document(facts.name(),
                    Section(H2("Services", id="services-title"), service_panel(),
                            aria_labelledby="services-title"),
                    links(host), package_search())


@app.get("/services")
def services(seen: str = ""):
    panel = service_panel()
    return Response(status_code=204) if panel.attrs["data-mark"] == seen else panel


@app.get("/packages")
def packages(request, q: str = ""):
    table = package_table(q[:100])
    if "hx-request" in request.headers:
        return table
    return document(f"Packages of {facts.name()}", Section(H2("Packages"), table,
                                                           P(A("Back", href="./"))))


@app.get("/static/{name}")
def static(name: str):
    if name not in STATIC:
        return Response("not found", status_code=404)
    return FileResponse(HERE / name, media_type=STATIC[name],
                        headers={"Cache-Control": "max-age=3600"})

"""What is in this image, and how its services are."""

import functools
import json
import os
import subprocess
import sys
import threading
import time
import tomllib
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

ETC = Path("/etc/imgbuild")
SUPERVISOR = "/usr/lib/imgbuild/init"


@functools.cache
def spec() -> dict:
    """The canonical spec of this image; empty where there is none."""
    try:
        return tomllib.loads((ETC / "spec.toml").read_text())
    except (OSError, tomllib.TOMLDecodeError):
        return {}


def name() -> str:
    return spec().get("image", {}).get("name", "environment")


@functools.cache
def cuda_version() -> str | None:
    """Of the spec's CUDA section, else of the runtime that another package brought."""
    if "CUDA_HOME" in os.environ:
        return spec().get("cuda", {}).get("version", "")
    # By the names of folders: reading what all packages say of themselves takes a tenth of a second,
    # and the page is asked for at each start.
    for place in sys.path:
        for found in Path(place or ".").glob("nvidia_cuda_runtime*.dist-info"):
            version = found.name.removesuffix(".dist-info").split("-")[1]
            return ".".join(version.split(".")[:2])
    return None


def cuda() -> str | None:
    """The CUDA version that the image carries, and whether there is a GPU; None without CUDA."""
    version = cuda_version()
    if version is None:
        return None
    gpu = "with a GPU" if Path("/dev/nvidiactl").exists() else "no GPU in this container"
    return f"CUDA {version} ({gpu})"


@functools.cache
def ports() -> dict[str, int]:
    """The port of each service that has one."""
    services = spec().get("services", {})
    return {name: service["port"] for name, service in services.items() if "port" in service}


def jupyter_url(host: str) -> str | None:
    """Where JupyterLab is for a browser that came to `host`; None where no service runs it."""
    for service, entry in spec().get("services", {}).items():
        if entry.get("preset") != "jupyterlab" or service not in ports():
            continue
        port = ports()[service]
        published = os.environ.get(f"IMGBUILD_PORT_{port}", "")
        option = "--ServerApp.base_url="
        base = next((word.removeprefix(option) for word in reversed(entry.get("command", []))
                     if word.startswith(option)), "/")
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{published if published.isdigit() else port}{base.rstrip('/')}/lab"
    return None


class Package(NamedTuple):
    name: str
    version: str
    kind: str  # "Python" or "Debian"


def _all_packages() -> list[Package]:
    """Python's as they are now, which may be newer than the image, and Debian's of the lock."""
    found = {}
    for item in metadata.distributions():
        name, version = item.metadata["Name"] or "", item.version or ""
        found.setdefault(("Python", name), version)  # the first is the one that is imported
    try:
        for line in (ETC / "packages").read_text().splitlines():
            name, version, kind, *_ = line.split(" ")
            if kind == "deb":
                found[("Debian", name)] = version
    except (OSError, ValueError):
        pass
    return [Package(name, version, kind) for (kind, name), version in found.items() if name]


def packages(query: str = "") -> list[Package]:
    """Those whose name has `query` in it: Python's before Debian's, by name."""
    wanted = query.strip().lower().replace("_", "-")
    return sorted((package for package in _all_packages()
                   if wanted in package.name.lower().replace("_", "-")),
                  key=lambda package: (package.kind != "Python", package.name.lower()))


class Service(NamedTuple):
    name: str
    state: str  # as the supervisor names it; "unknown" where it does not answer
    ready: bool
    restarts: int
    seconds: int  # in that state
    exit: int

    @property
    def port(self) -> int | None:
        return ports().get(self.name)


def _ask() -> list[Service]:
    try:
        answer = subprocess.run([SUPERVISOR, "status", "--json"], capture_output=True, timeout=2,
                                check=True).stdout
        return [Service(entry["name"], entry["state"], entry["ready"], entry["restarts"],
                        entry["since-seconds"], entry["exit"])
                for entry in json.loads(answer)["services"]]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return [Service(service, "unknown", False, 0, 0, 0) for service in spec().get("services", {})]


_lock = threading.Lock()
_known: tuple[float, list[Service]] = (0.0, [])


def services() -> list[Service]:
    """All services; asked once a second at most, however many browsers ask."""
    global _known
    with _lock:
        if time.monotonic() - _known[0] > 1 or not _known[1]:
            _known = (time.monotonic(), _ask())
        return _known[1]

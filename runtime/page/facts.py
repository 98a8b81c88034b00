"""What is in this image, and how its services are."""

import functools
import json
import os
import subprocess
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


def cuda() -> str | None:
    """The CUDA version that the image carries, and whether there is a GPU; None without CUDA."""
    if "CUDA_HOME" not in os.environ:
        return None
    gpu = "with a GPU" if Path("/dev/nvidiactl").exists() else "no GPU in this container"
    return f"CUDA {spec().get('cuda', {}).get('version', '')} ({gpu})"


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
        base = entry.get("ready", {}).get("http", "/api").removesuffix("/api")
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{published if published.isdigit() else port}{base}/lab"
    return None


def _released(item: metadata.Distribution) -> tuple[str, str]:
    return item.metadata["Name"] or "", item.version or ""


def packages(query: str = "") -> list[tuple[str, str]]:
    """Name and version of the Python packages whose name has `query` in it, in order."""
    wanted = query.strip().lower().replace("_", "-")
    found = {name: version for name, version in map(_released, metadata.distributions()) if name}
    return sorted(((name, version) for name, version in found.items()
                   if wanted in name.lower().replace("_", "-")), key=lambda item: item[0].lower())


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

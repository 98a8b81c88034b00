"""What the benchmarks compare with, and how they measure."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
ROOM = TOP / "build" / "bench"
IMGBUILD = pathlib.Path(os.environ.get("IMGBUILD", TOP / "build" / "release" / "imgbuild"))
FIRST = ["jupyterlab", "numpy", "pandas", "scipy", "matplotlib"]
SECOND = ["python-fasthtml", "fastapi[standard]", "pip"]

DOCKERFILE = """\
FROM localhost/bench-base
ENV SSL_CERT_FILE=/bench-ca.pem {index}
RUN --mount=type=cache,target=/var/cache/apt --mount=type=cache,target=/var/lib/apt \\
    apt-get update && apt-get install -y --no-install-recommends python3 python3-venv ca-certificates
COPY uv /usr/local/bin/uv
RUN uv venv /opt/venv --python /usr/bin/python3
RUN --mount=type=cache,target=/root/.cache/uv \\
    UV_LINK_MODE=copy VIRTUAL_ENV=/opt/venv uv pip install --compile-bytecode {first}
RUN --mount=type=cache,target=/root/.cache/uv \\
    UV_LINK_MODE=copy VIRTUAL_ENV=/opt/venv uv pip install --compile-bytecode {second}
"""


def run(command, **options):
    """Wall seconds and the largest process's peak memory in MB."""
    wall, _, memory = measure(command, **options)
    return wall, memory


def measure(command, **options):
    """Wall seconds, CPU seconds and the largest process's peak memory in MB."""
    before = time.monotonic()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, **options)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{output.decode(errors='replace')[-4000:]}")
    return time.monotonic() - before, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000


def mirror():
    for file in sorted(pathlib.Path("/etc/apt").rglob("*.sources")):
        match = re.search(r"^URIs:\s*(\S*debian)\s*$", file.read_text(), re.M)
        if match:
            return match[1]
    sys.exit("no Debian mirror in apt's sources")


class Buildah:
    """A Dockerfile with uv on a base that mmdebstrap makes; podman with a storage of its own."""

    def __init__(self):
        self.room = ROOM / "buildah"
        self.environment = dict(os.environ, CONTAINERS_CONF=str(self.room / "containers.conf"),
                                CONTAINERS_STORAGE_CONF=str(self.room / "storage.conf"))
        if self.room.exists():
            self.forget()
        self.room.mkdir(parents=True, exist_ok=True)
        (self.room / "containers.conf").write_text(
            '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n'
            '[engine]\nruntime = "runc"\n')
        (self.room / "storage.conf").write_text(
            f'[storage]\ndriver = "overlay"\ngraphroot = "{self.room}/storage"\n'
            f'runroot = "{self.room}/run"\n')
        run([sys.executable, "-m", "venv", self.room / "venv"])
        run([self.room / "venv/bin/pip", "install", "-q", "uv"])
        shutil.copy(self.room / "venv/bin/uv", self.room / "uv")
        self.certificates = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")

    def forget(self):
        if (self.room / "storage").exists():
            run(["buildah", "unshare", "rm", "-rf", self.room / "storage"]
                if os.geteuid() else ["rm", "-rf", self.room / "storage", self.room / "run"])
        for path in pathlib.Path("/var/tmp").glob("buildah-cache*"):
            shutil.rmtree(path, ignore_errors=True)

    def base(self):
        tar = self.room / "base.tar"
        tar.unlink(missing_ok=True)
        made, _ = run(["mmdebstrap", "--variant=minbase", "bookworm", tar, mirror()])
        imported, _ = run(["podman", "import", "-q", tar, "localhost/bench-base"],
                          env=self.environment)
        return made + imported

    def build(self, first=FIRST):
        index = "".join(f" {name}={os.environ[name]}" for name in ("UV_INDEX_URL", "PIP_INDEX_URL")
                        if name in os.environ)
        quoted = lambda names: " ".join(f'"{name}"' for name in names)
        (self.room / "Dockerfile").write_text(
            DOCKERFILE.format(first=quoted(first), second=quoted(SECOND), index=index))
        return run(["buildah", "build", "-q", "--layers", "--isolation", "chroot", "--network", "host",
                    "-v", f"{self.certificates}:/bench-ca.pem:ro", "-t", "localhost/bench",
                    self.room], env=self.environment)

    def size(self):
        shutil.rmtree(self.room / "bench.oci", ignore_errors=True)
        run(["buildah", "push", "-q", "localhost/bench", f"oci:{self.room}/bench.oci:latest"],
            env=self.environment)
        return layers_size(self.room / "bench.oci")


def layers_size(layout):
    blob = lambda digest: layout / "blobs" / "sha256" / digest.split(":")[1]
    index = json.loads((layout / "index.json").read_text())
    manifest = json.loads(blob(index["manifests"][0]["digest"]).read_text())
    return sum(layer["size"] for layer in manifest["layers"]) / 1e6

"""Writes an OCI layout of an image to build on: what imgbuild looks for in one, and nothing that runs.

Usage: make_base.py FOLDER [--env NAME=VALUE | --label NAME=VALUE | --file PATH=TEXT | --noise BYTES]...
                    [--platforms]

Its Python is 3.12, which no suite of Debian has, so that builds on it need nothing of the network.
--noise is a layer of its own, of bytes that no other image has; --platforms gives an index of amd64
and arm64. Prints the digest of manifest or index.
"""

import argparse
import gzip
import hashlib
import io
import json
import pathlib
import random
import tarfile

OCI = "application/vnd.oci.image."
parser = argparse.ArgumentParser()
parser.add_argument("folder", type=pathlib.Path)
for option in ("--env", "--label", "--file"):
    parser.add_argument(option, action="append", default=[])
parser.add_argument("--noise", action="append", default=[], type=int)
parser.add_argument("--platforms", action="store_true")
options = parser.parse_args()
blobs = options.folder / "blobs" / "sha256"
blobs.mkdir(parents=True)

SYSTEM = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/bash\n",
    "bin/bash": "",
    "usr/lib/libc.so.6": "GNU C Library stable release version 2.36.\n",
    "usr/local/bin/python3.12": "calls its library",
    "usr/local/lib/libpython3.12.so.1.0": "\0" + "3.12.7" + "\0",
}


def put(data, media_type):
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return {"mediaType": OCI + media_type, "digest": "sha256:" + digest, "size": len(data)}


def layer(files):
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path, content in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            entry.mode = 0o755
            tar.addfile(entry, io.BytesIO(content))
    diff_ids.append("sha256:" + hashlib.sha256(plain.getvalue()).hexdigest())
    return put(gzip.compress(plain.getvalue(), 1, mtime=0), "layer.v1.tar+gzip")


diff_ids = []
files = SYSTEM | dict(file.split("=", 1) for file in options.file)
layers = [layer({path: text.encode() for path, text in files.items()})]
for number, size in enumerate(options.noise):
    noise = random.Random(f"{options.folder.name} {number}").randbytes(size)
    layers.append(layer({f"usr/share/noise-{number}": noise}))


def image(architecture):
    config = {"architecture": architecture, "os": "linux",
              "config": {"Env": ["PATH=/usr/local/bin:/bin", *options.env],
                         "Labels": dict(label.split("=", 1) for label in options.label)},
              "rootfs": {"type": "layers", "diff_ids": diff_ids},
              "history": [{"created_by": f"layer {number}"} for number in range(len(layers))]}
    manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                "config": put(json.dumps(config).encode(), "config.v1+json"), "layers": layers}
    return put(json.dumps(manifest).encode(), "manifest.v1+json")


entry = image("amd64")
if options.platforms:
    platforms = [descriptor | {"platform": {"os": "linux", "architecture": architecture}}
                 for descriptor, architecture in ((entry, "amd64"), (image("arm64"), "arm64"))]
    index = {"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": platforms}
    entry = put(json.dumps(index).encode(), "index.v1+json")
entry["annotations"] = {"org.opencontainers.image.ref.name": "x"}
(options.folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
(options.folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
print(entry["digest"])

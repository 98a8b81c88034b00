"""Lays the layers of one platform of an OCI layout over each other in a folder (as root).

Usage: unpack_layout.py LAYOUT ARCHITECTURE FOLDER

Prints the image's environment, one NAME=VALUE a line.
"""

import json
import pathlib
import subprocess
import sys

layout, architecture, folder = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]


def document(descriptor):
    return json.loads(blob(descriptor).read_text())


def blob(descriptor):
    algorithm, digest = descriptor["digest"].split(":")
    return layout / "blobs" / algorithm / digest


def manifests(entries):
    for entry in entries:
        if entry["mediaType"] == "application/vnd.oci.image.index.v1+json":
            yield from manifests(document(entry)["manifests"])
        else:
            yield document(entry)


entries = json.loads((layout / "index.json").read_text())["manifests"]
found = [(manifest, config) for manifest in manifests(entries)
         for config in [document(manifest["config"])] if config["architecture"] == architecture]
assert len(found) == 1, f"{len(found)} images for {architecture}"
manifest, config = found[0]
for layer in manifest["layers"]:
    program = "gzip" if layer["mediaType"].endswith("gzip") else "zstd"
    plain = subprocess.Popen([program, "-dc", blob(layer)], stdout=subprocess.PIPE)
    subprocess.run(["tar", "-x", "-p", "--numeric-owner", "-C", folder], stdin=plain.stdout, check=True)
    assert plain.wait() == 0, layer
print("\n".join(config.get("config", {}).get("Env") or []))

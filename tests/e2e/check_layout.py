"""Recomputes every digest, size and diff id of an OCI layout, and validates its documents against
the specification's schemas.

Usage: check_layout.py LAYOUT
"""

import gzip
import hashlib
import json
import pathlib
import subprocess
import sys

import oci_schemas

layout = pathlib.Path(sys.argv[1])
header = json.loads((layout / "oci-layout").read_text())
assert header == {"imageLayoutVersion": "1.0.0"}
oci_schemas.validate("application/vnd.oci.layout.header.v1+json", header)


def blob(descriptor):
    algorithm, digest = descriptor["digest"].split(":")
    path = layout / "blobs" / algorithm / digest
    data = path.read_bytes()
    assert hashlib.sha256(data).hexdigest() == digest, path
    assert len(data) == descriptor["size"], path
    return data


def plain(descriptor, data):
    media_type = descriptor["mediaType"]
    if media_type.endswith(("+gzip", ".gzip")):
        return gzip.decompress(data)
    if media_type.endswith(".tar"):
        return data
    assert media_type == "application/vnd.oci.image.layer.v1.tar+zstd", media_type
    return subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout


# docker's own kinds have no schema, but the same form.
DOCKER = {
    "application/vnd.docker.distribution.manifest.list.v2+json": "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json": "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
}


def check_manifest(descriptor):
    manifest = json.loads(blob(descriptor))
    kind = descriptor["mediaType"]
    config_kind = manifest["config"]["mediaType"]
    assert manifest["schemaVersion"] == 2
    assert manifest.get("mediaType", kind) == kind
    assert DOCKER.get(kind, kind) == "application/vnd.oci.image.manifest.v1+json"
    assert DOCKER.get(config_kind, config_kind) == "application/vnd.oci.image.config.v1+json"
    config = json.loads(blob(manifest["config"]))
    if kind not in DOCKER:
        oci_schemas.validate(kind, manifest)
        oci_schemas.validate(config_kind, config)
    assert config["os"] == "linux" and config["architecture"] in ("amd64", "arm64")
    assert config["rootfs"]["type"] == "layers"
    diff_ids = config["rootfs"]["diff_ids"]
    assert len(diff_ids) == len(manifest["layers"])
    real = [entry for entry in config["history"] if not entry.get("empty_layer")]
    assert len(real) == len(diff_ids)
    for layer, diff_id in zip(manifest["layers"], diff_ids):
        digest = hashlib.sha256(plain(layer, blob(layer))).hexdigest()
        assert "sha256:" + digest == diff_id, layer
    return len(diff_ids)


index = json.loads((layout / "index.json").read_text())
oci_schemas.validate("application/vnd.oci.image.index.v1+json", index)
assert index["schemaVersion"] == 2
assert index["manifests"]
for entry in index["manifests"]:
    assert "org.opencontainers.image.ref.name" in entry["annotations"]
    kind = entry["mediaType"]
    if DOCKER.get(kind, kind) == "application/vnd.oci.image.index.v1+json":
        nested = json.loads(blob(entry))
        if kind not in DOCKER:
            oci_schemas.validate(kind, nested)
        layers = [check_manifest(manifest) for manifest in nested["manifests"]]
    else:
        layers = [check_manifest(entry)]
    print(entry["digest"], layers, "layers")

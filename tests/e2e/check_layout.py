"""Recomputes every digest, size and diff id of an OCI layout, and validates its documents against
the specification's schemas.

Usage: check_layout.py LAYOUT [PLATFORM...]: of images that are exactly for these
"""

import hashlib
import json
import pathlib
import subprocess
import sys

import oci_schemas

layout = pathlib.Path(sys.argv[1])
wanted = sys.argv[2:]
header = json.loads((layout / "oci-layout").read_text())
assert header == {"imageLayoutVersion": "1.0.0"}
oci_schemas.validate("application/vnd.oci.layout.header.v1+json", header)


# Layers are gigabytes: their bytes stream.
def digest_of(stream):
    hasher = hashlib.sha256()
    while piece := stream.read(1 << 20):
        hasher.update(piece)
    return hasher.hexdigest()


def path_of(descriptor):
    algorithm, digest = descriptor["digest"].split(":")
    path = layout / "blobs" / algorithm / digest
    with path.open("rb") as file:
        assert digest_of(file) == digest, path
    assert path.stat().st_size == descriptor["size"], path
    return path


def blob(descriptor):
    return path_of(descriptor).read_bytes()


def plain_digest(descriptor):
    path = path_of(descriptor)
    media_type = descriptor["mediaType"]
    if media_type.endswith(("+gzip", ".gzip")):
        command = ["gzip", "-dc"]
    elif media_type.endswith(".tar"):
        command = ["cat"]
    else:
        assert media_type == "application/vnd.oci.image.layer.v1.tar+zstd", media_type
        command = ["zstd", "-dc"]
    with path.open("rb") as file:
        process = subprocess.Popen(command, stdin=file, stdout=subprocess.PIPE)
        digest = digest_of(process.stdout)
    assert process.wait() == 0, path
    return digest


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
        assert "sha256:" + plain_digest(layer) == diff_id, layer
    platform = {key: config[key] for key in ("os", "architecture", "variant") if key in config}
    if "platform" in descriptor:
        assert descriptor["platform"] == platform, descriptor
    return "/".join(platform.values()), len(diff_ids)


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
        # What an engine picks one by.
        assert all("platform" in manifest for manifest in nested["manifests"]), nested
        found = [check_manifest(manifest) for manifest in nested["manifests"]]
    else:
        found = [check_manifest(entry)]
    platforms = [platform for platform, _ in found]
    assert len(set(platforms)) == len(platforms), platforms
    assert not wanted or platforms == wanted, (platforms, wanted)
    print(entry["digest"], found, "layers")

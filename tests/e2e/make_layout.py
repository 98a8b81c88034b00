"""Writes an OCI layout of one image, whose layers hold noise that is the same every time.

Usage: make_layout.py FOLDER BYTES...

One layer for each number, with a file noise-N of that size; prints the manifest's digest.
"""

import gzip
import hashlib
import io
import json
import pathlib
import random
import sys
import tarfile

folder = pathlib.Path(sys.argv[1])
blobs = folder / "blobs" / "sha256"
blobs.mkdir(parents=True)
OCI = "application/vnd.oci.image."


def put(data, media_type, **more):
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return {"mediaType": OCI + media_type, "digest": "sha256:" + digest, "size": len(data), **more}


def layer(number, size):
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo(f"noise-{number}")
        entry.size = size
        # Another seed for each image, so that images of one registry share no layer by chance.
        tar.addfile(entry, io.BytesIO(random.Random(f"{folder.name} {number}").randbytes(size)))
    data = plain.getvalue()
    diff_ids.append("sha256:" + hashlib.sha256(data).hexdigest())
    return put(gzip.compress(data, 1, mtime=0), "layer.v1.tar+gzip")


diff_ids = []
layers = [layer(number, int(size)) for number, size in enumerate(sys.argv[2:])]
config = {"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"]},
          "rootfs": {"type": "layers", "diff_ids": diff_ids},
          "history": [{"created_by": f"layer {number}"} for number in range(len(layers))]}
manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
            "config": put(json.dumps(config).encode(), "config.v1+json"), "layers": layers}
entry = put(json.dumps(manifest).encode(), "manifest.v1+json",
            annotations={"org.opencontainers.image.ref.name": "x"})
(folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
(folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
print(entry["digest"])

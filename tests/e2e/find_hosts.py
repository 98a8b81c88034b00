"""Fails where a text that only the transport of packages knows is in a byte of an image.

Usage: find_hosts.py [--nowhere TEXT]... [--host HOST]... LAYOUT|FILE...

Layers are decompressed. A TEXT may stand nowhere. A HOST may stand in what packages bring, which may
well name their home page; not in what is made here: documents, the headers of archives, the layers
without packages, and in those of packages what installing adds to them (but .pyc, which hold what their
sources say).
"""

import argparse
import gzip
import io
import json
import pathlib
import re
import subprocess
import tarfile

OURS = {"files", "runtime", "system", "state"}  # layers, as the history names them
ADDED = re.compile(r"^var/lib/dpkg/|\.dist-info/(INSTALLER|RECORD|REQUESTED|direct_url\.json)$|^opt/venv/bin/")

parser = argparse.ArgumentParser()
parser.add_argument("--nowhere", action="append", default=[])
parser.add_argument("--host", action="append", default=[])
parser.add_argument("paths", nargs="+", type=pathlib.Path)
options = parser.parse_args()
assert options.nowhere or options.host, "nothing to look for"
assert all(options.nowhere + options.host), "an empty text is everywhere"

bad = []
looked = {"bytes": 0, "layers": 0, "members": 0}


def look(name, data, texts):
    looked["bytes"] += len(data)
    bad.extend((name, text) for text in texts if text.encode() in data)


def plain(data):
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def look_at_layer(name, layer, data):
    """Of what packages bring, only what is ours is asked about hosts."""
    data = plain(data)
    look(name, data, options.nowhere)
    looked["layers"] += 1
    headers, end = [], 0
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive:
            looked["members"] += 1
            headers.append(data[end:member.offset_data])
            end = member.offset_data + (member.size if member.isreg() else 0)
            if member.isreg() and (layer in OURS or ADDED.search(member.name)):
                look(f"{name}: {member.name}", data[member.offset_data:end], options.host)
    look(f"{name}: headers", b"".join([*headers, data[end:]]), options.host)


def look_at_layout(layout):
    layers = {}
    for path in sorted((layout / "blobs" / "sha256").iterdir()):
        document = path.read_bytes() if path.stat().st_size < 4 << 20 else b""
        if not document.startswith(b"{"):
            continue
        manifest = json.loads(document)
        if "layers" not in manifest:
            continue
        config = json.loads((path.parent / manifest["config"]["digest"].split(":")[1]).read_bytes())
        names = [entry["created_by"].split(": ", 1)[-1] for entry in config["history"]]
        layers |= {layer["digest"].split(":")[1]: name
                   for layer, name in zip(manifest["layers"], names, strict=True)}
    assert OURS & set(layers.values()), f"no layer of ours in {layout}: {set(layers.values())}"
    for path in (path for path in layout.rglob("*") if path.is_file()):
        if path.name in layers:
            look_at_layer(str(path), layers[path.name], path.read_bytes())
        else:
            look(str(path), path.read_bytes(), options.nowhere + options.host)


for argument in options.paths:
    if argument.is_dir():
        look_at_layout(argument)
    else:
        look(str(argument), argument.read_bytes(), options.nowhere + options.host)
assert not bad, bad
print(f"none of {options.nowhere + options.host} in {looked['bytes']} bytes of "
      f"{looked['layers']} layers, {looked['members']} members and what lies beside them")

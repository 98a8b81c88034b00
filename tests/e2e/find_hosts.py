"""Fails where the host of a mirror or index that this machine uses is in any byte of an image.

Usage: find_hosts.py LAYOUT [FILE...]
"""

import gzip
import os
import pathlib
import re
import subprocess
import sys

hosts = set()
for directory in (pathlib.Path("/etc/apt"), pathlib.Path("/etc/apt/sources.list.d")):
    for file in list(directory.glob("*.list")) + list(directory.glob("*.sources")):
        hosts |= set(re.findall(r"https?://(?:[^/@\s]*@)?([^/\s:]+)", file.read_text()))
for name in ("PIP_INDEX_URL", "UV_INDEX_URL", "IMGBUILD_DEBIAN_MIRROR"):
    hosts |= set(re.findall(r"://(?:[^/@\s]*@)?([^/\s:]+)", os.environ.get(name, "")))
try:
    from pip._internal.models.index import PyPI

    hosts |= {re.match(r"https?://([^/:]+)", PyPI.simple_url)[1]}
except ImportError:
    pass
# A package may well name its home page; what must not be there is what only our transport knows.
hosts = {host for host in hosts if "." in host}
print("looking for", len(hosts), "hosts")


def texts(path):
    data = path.read_bytes()
    if data[:4] == b"\x28\xb5\x2f\xfd":
        data = subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout
    elif data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    return data


def own_files(tar_bytes):
    """The members that imgbuild itself writes."""
    import io
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(tar_bytes)) as archive:
        for member in archive:
            if member.isfile() and member.name.startswith(("etc/imgbuild/", "usr/lib/imgbuild/")):
                yield member.name, archive.extractfile(member).read()


bad = []
for argument in map(pathlib.Path, sys.argv[1:]):
    files = [p for p in argument.rglob("*") if p.is_file()] if argument.is_dir() else [argument]
    for path in files:
        data = texts(path)
        parts = [(str(path), data)]
        if data[257:262] == b"ustar":
            parts = list(own_files(data))
        bad += [(name, host) for name, part in parts for host in hosts if host.encode() in part]
assert not bad, bad

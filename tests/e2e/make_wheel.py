"""Writes wheels NAME-VERSION-py3-none-any.whl, of a module and noise, into the current folder.

Usage: make_wheel.py VERSION BYTES NAME... [--library FILE]

Each has other noise in each version, and the library lies beside it.
"""

import argparse
import base64
import hashlib
import pathlib
import random
import zipfile

parser = argparse.ArgumentParser()
parser.add_argument("version")
parser.add_argument("bytes", type=int)
parser.add_argument("names", nargs="+")
parser.add_argument("--library", action="append", default=[], type=pathlib.Path)
options = parser.parse_args()


def record_of(path, content):
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}\n"


for name in options.names:
    about = f"Name: {name}\nVersion: {options.version}\n"
    info = f"{name}-{options.version}.dist-info"
    members = {
        f"{name}/__init__.py": b"",
        f"{name}/data.bin": random.Random(about).randbytes(options.bytes),
        f"{info}/METADATA": f"Metadata-Version: 2.1\n{about}".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    } | {f"{name}/{library.name}": library.read_bytes() for library in options.library}
    record = "".join(record_of(*member) for member in members.items()) + f"{info}/RECORD,,\n"
    members[f"{info}/RECORD"] = record.encode()
    with zipfile.ZipFile(f"{name}-{options.version}-py3-none-any.whl", "w") as wheel:
        for path, content in members.items():
            wheel.writestr(zipfile.ZipInfo(path), content)

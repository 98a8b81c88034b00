"""Copies a compile database without gcc's precompiled headers, which clang-tidy cannot read.

Usage: tidy_database.py BUILD_DIRECTORY OUTPUT_DIRECTORY
"""

import json
import pathlib
import re
import sys

source, target = map(pathlib.Path, sys.argv[1:])
entries = json.loads((source / "compile_commands.json").read_text())
kept = []
for entry in entries:
    if "cmake_pch" in entry["file"]:
        continue
    command = re.sub(r"-include \S*cmake_pch\.hxx", "", entry["command"])
    entry["command"] = command.replace("-Winvalid-pch", "")
    kept.append(entry)
target.mkdir(parents=True, exist_ok=True)
(target / "compile_commands.json").write_text(json.dumps(kept, indent=1))

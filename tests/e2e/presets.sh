#!/usr/bin/env bash
# `imgbuild presets` lists what there is, and prints a preset as a file that says it all.
. "$(dirname "$0")/lib.sh"
need python3

list=$("$IMGBUILD" presets)
equal "presets listed" "$(wc -l <<<"$list")" 7
contains "the list" "$list" "jupyterlab    8888  JupyterLab"

"$IMGBUILD" presets --json | python3 -c '
import json, sys
presets = {p["name"]: p for p in map(json.loads, sys.stdin)}
assert presets["fastapi"]["needs"] == ["fastapi", "uvicorn"], presets
assert presets["ollama"] == {"name": "ollama", "runs": "the Ollama model server", "port": 11434,
                             "needs": ["/opt/ollama"]}, presets
'

while read -r name port _; do
  "$IMGBUILD" presets "$name" >"$name.toml"
  python3 -c '
import sys, tomllib
preset = tomllib.load(open(sys.argv[1], "rb"))
assert preset["service"]["port"] == int(sys.argv[2]), preset
' "$name.toml" "$port"
done <<<"$list"

status=0
"$IMGBUILD" presets jupiterlab 2>complaint || status=$?
equal "status for an unknown one" "$status" 2
contains "the complaint" "$(cat complaint)" 'did you mean "jupyterlab"?'

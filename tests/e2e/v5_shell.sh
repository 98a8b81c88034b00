#!/usr/bin/env bash
# A command instead of the services, and a shell beside them that ends them.
. "$(dirname "$0")/lib.sh"
example v5-notebook

status=0
podman run --rm "$image_id" bash -c 'exit 9' || status=$?
equal "a command's status" "$status" 9
output=$(podman run --rm "$image_id" --with-services bash -c '
  python3 -c "import urllib.request as r; print(r.urlopen(\"http://127.0.0.1:5001/\").status)"
  ls /tmp/imgbuild-log; exit 3') || status=$?
equal "the shell's status" "$status" 3
contains "the page answers beside the shell" "$output" 200
contains "logs go to files" "$output" jupyter.log

#!/usr/bin/env bash
# The comparison with apt of docs/debian-resolution.md, over all its sets of both suites.
. "$(dirname "$0")/lib.sh"
need apt-get python3
mkdir apt
python3 "$TOP/tests/e2e/apt_comparison.py" "$IMGBUILD" apt

#!/usr/bin/env bash
# Images for both platforms in one index: every digest recomputed, and the arm64 ones' Python, run
# by qemu, imports what they are for. Nothing foreign runs while they are built.
. "$(dirname "$0")/lib.sh"
need qemu-aarch64-static python3 zstd
qemu=$(command -v qemu-aarch64-static)
[ "$(id -u)" = 0 ] || skip "unpacking a root needs root"
cp "$TOP"/specs/examples/*.toml .
# Whoever asks for an interpreter by name gets this one, which tells.
mkdir tools
for name in qemu-aarch64-static qemu-aarch64; do
  printf '#!/bin/sh\ntouch "%s/foreign"\nexit 1\n' "$WORK" >"tools/$name"
done
chmod 755 tools/*
for example in v1-python v2-scientific v5-notebook; do
  PATH="$WORK/tools:$PATH" \
    "$IMGBUILD" build "$example.toml" -q --platform linux/amd64 --platform linux/arm64
  python3 "$TOP/tests/e2e/check_layout.py" "$example.oci" linux/amd64 linux/arm64
done
[ ! -e foreign ] || fail "an interpreter of arm64 programs was asked for"

# Commands inside the arm64 root of an example, in the environment that its config says.
unpack() {
  rm -rf root && mkdir root
  mapfile -t environment < <(python3 "$TOP/tests/e2e/unpack_layout.py" "$1.oci" arm64 root)
  cp "$qemu" root/qemu
}
inside() { chroot root /qemu -0 "$1" /usr/bin/env -i "${environment[@]}" HOME=/tmp /qemu "$@"; }
python() { inside /opt/venv/bin/python3 "$@"; }

unpack v1-python
# Nor did one run by itself: this kernel refuses them.
status=0
root/usr/lib/imgbuild/init /bin/true 2>/dev/null || status=$?
if [ "$status" = 126 ]; then
  echo "nothing foreign ran"
else
  echo "NOT SHOWN: that nothing foreign ran: this kernel runs arm64 programs by itself" >&2
fi
contains "V1's python" "$(python --version)" "Python 3.11"
equal "V1's machine" "$(python -c 'import platform; print(platform.machine())')" aarch64
unpack v2-scientific
python -c 'import numpy, pandas; assert pandas.Series(numpy.arange(4)).sum() == 6'
unpack v5-notebook
python -c 'import fasthtml, fastapi, numpy, pandas'
python -c 'import sys; assert sys.prefix == "/opt/venv", sys.prefix'
# The supervisor is the program of that architecture, and runs a command under itself.
equal "supervisor" "$(inside /usr/lib/imgbuild/init /qemu /bin/echo hello)" hello

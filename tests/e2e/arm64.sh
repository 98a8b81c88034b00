#!/usr/bin/env bash
# Images for both platforms in one index: every digest recomputed, and the arm64 ones' Python, run
# by qemu, imports what they are for. Nothing foreign runs while they are built.
. "$(dirname "$0")/lib.sh"
need qemu-aarch64-static python3 zstd
[ "$(id -u)" = 0 ] || skip "unpacking a root needs root"
cp "$TOP"/specs/examples/*.toml .
for example in v1-python v2-scientific v5-notebook; do
  "$IMGBUILD" build "$example.toml" -q --platform linux/amd64 --platform linux/arm64
  python3 "$TOP/tests/e2e/check_layout.py" "$example.oci"
done

# Commands inside the arm64 root of an example, in the environment that its config says.
unpack() {
  rm -rf root && mkdir root
  mapfile -t environment < <(python3 "$TOP/tests/e2e/unpack_layout.py" "$1.oci" arm64 root)
  cp "$(command -v qemu-aarch64-static)" root/qemu
}
inside() { chroot root /qemu -0 "$1" /usr/bin/env -i "${environment[@]}" HOME=/tmp /qemu "$@"; }
python() { inside /opt/venv/bin/python3 "$@"; }

unpack v1-python
contains "V1's python" "$(python --version)" "Python 3.11"
equal "V1's machine" "$(python -c 'import platform; print(platform.machine())')" aarch64
unpack v2-scientific
python -c 'import numpy, pandas; assert pandas.Series(numpy.arange(4)).sum() == 6'
unpack v5-notebook
python -c 'import fasthtml, fastapi, numpy, pandas'
python -c 'import sys; assert sys.prefix == "/opt/venv", sys.prefix'
# The supervisor is the program of that architecture, and runs a command under itself.
equal "supervisor" "$(inside /usr/lib/imgbuild/init /qemu /bin/echo hello)" hello

#!/usr/bin/env bash
# Other tools read what is written: skopeo and podman in zstd and gzip, umoci the gzip one (its
# release in Debian knows no zstd), podman load the docker archive; every digest is recomputed.
. "$(dirname "$0")/lib.sh"
need skopeo umoci
example v1-python
image_zstd=$E2E_ROOT/images/v1-python.oci
cp "$E2E_ROOT/images/"v1-python.{toml,lock} .
"$IMGBUILD" build v1-python.toml -q --compression gzip -o oci:gzip.oci:test
"$IMGBUILD" build v1-python.toml -q -o oci-archive:archive.tar
"$IMGBUILD" build v1-python.toml -q -o docker-archive:docker.tar

for layout in "$image_zstd" gzip.oci; do
  python3 "$TOP/tests/e2e/check_layout.py" "$layout"
  skopeo inspect --raw "oci:$layout:test" >/dev/null
  skopeo copy -q --preserve-digests "oci:$layout:test" "dir:copy-$(basename "$layout")"
done
# Every digest of what the other scripts run, too.
for name in v2-scientific v4-fasthtml v5-notebook; do
  want_podman=no example "$name"
  python3 "$TOP/tests/e2e/check_layout.py" "$E2E_ROOT/images/$name.oci"
done
umoci unpack --rootless --image gzip.oci:test unpacked >/dev/null
test -x unpacked/rootfs/usr/bin/python3.11 || fail "umoci unpack"
for source in oci:gzip.oci:test oci-archive:archive.tar; do
  id=$(podman pull -q "$source")
  contains "$source" "$(podman run --rm "$id" python3 --version)" "Python 3.11"
done
loaded=$(podman load -q -i docker.tar | sed 's/^Loaded image: *//')
contains "docker-archive" "$(podman run --rm "$loaded" python3 --version)" "Python 3.11"

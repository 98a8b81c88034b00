#!/usr/bin/env bash
# What goes wrong while an image is built leaves one clear error, no output and a sound cache, and
# the next build succeeds.
. "$(dirname "$0")/lib.sh"
want_podman=no example v1-python
cp "$E2E_ROOT/images/"v1-python.{toml,lock} .
export XDG_CACHE_HOME="$WORK/cache"

sound() { contains "$1: cache" "$("$IMGBUILD" cache verify 2>&1)" "0 wrong"; }

refuses() {  # what, exit status, part of the message, command...
  local what=$1 expected=$2 part=$3 status=0 message
  shift 3
  message=$("$@" 2>&1) || status=$?
  equal "$what: exit status of '$message'" "$status" "$expected"
  contains "$what" "$message" "$part"
  [ ! -e out.oci ] || fail "$what: partial output"
  sound "$what"
}
build() { "$IMGBUILD" build v1-python.toml -q --locked -o oci:out.oci:test "$@"; }
limited() { (ulimit -f 1024 && build); }

refuses "no cache" 1 "libc6" build --offline
refuses "file size limit" 1 "File too large" limited
IMGBUILD_DEBIAN_MIRROR=http://127.0.0.1:9/debian \
  refuses "unreachable mirror" 1 "from IMGBUILD_DEBIAN_MIRROR" build

# It must end within a second of the signal: timeout kills it then, and the status is 137.
for seconds in 0.3 1 2; do
  refuses "interrupted after $seconds s" 130 "interrupted" timeout --preserve-status -s INT -k 1 \
    "$seconds" "$IMGBUILD" build v1-python.toml -q --locked -o oci:out.oci:test
done

mkdir other && : >other/file && : >plain
sed '0,/^sha256 = "[0-9a-f]\{8\}/s//sha256 = "00000000/' v1-python.lock >edited.lock
cp v1-python.toml edited.toml
refuses "edited lock" 4 "is not the file that was locked" \
  "$IMGBUILD" build edited.toml -q --locked -o oci:out.oci:test
refuses "no layout" 1 "is no OCI layout" "$IMGBUILD" build v1-python.toml -q -o oci:other
equal "what was there" "$(ls other)" file
refuses "a file in the way" 1 "plain" "$IMGBUILD" build v1-python.toml -q -o oci:plain
refuses "unwritable output" 1 "/proc/none" "$IMGBUILD" build v1-python.toml -q -o oci:/proc/none

build
cmp out.oci/index.json "$E2E_ROOT/images/v1-python.oci/index.json" || fail "another image"
sound "after all"

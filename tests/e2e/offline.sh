#!/usr/bin/env bash
# Without a network a build works from lock and cache; without the cache it says what is missing.
. "$(dirname "$0")/lib.sh"
need unshare
example v1-python
cp "$E2E_ROOT/images/"v1-python.{toml,lock} .
cut_off() { unshare -n "$@"; }
cut_off true 2>/dev/null || skip "network namespaces are not allowed here"

cut_off "$IMGBUILD" build v1-python.toml -q --locked --offline -o oci:again.oci:test
cmp again.oci/index.json "$E2E_ROOT/images/v1-python.oci/index.json" || fail "another image"

# From the archives alone: everything is unpacked, compiled and compressed again.
mkdir -p half/imgbuild
cp -al "$E2E_ROOT/cache/imgbuild/downloads" half/imgbuild/
XDG_CACHE_HOME="$WORK/half" cut_off "$IMGBUILD" build v1-python.toml -q --locked --offline -o oci:half.oci:test
cmp half.oci/index.json "$E2E_ROOT/images/v1-python.oci/index.json" || fail "another image from the archives"

status=0
message=$(XDG_CACHE_HOME="$WORK/empty" cut_off "$IMGBUILD" build v1-python.toml --locked --offline 2>&1) || status=$?
equal "exit status" "$status" 1
contains "what is missing" "$message" "libc6"
test ! -e v1-python.oci || fail "partial output"

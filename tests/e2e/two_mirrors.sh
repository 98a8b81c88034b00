#!/usr/bin/env bash
# The same lock gives the same image from another mirror and index, one that wants credentials, and
# neither hosts nor credentials are in any byte of image, lock or output.
. "$(dirname "$0")/lib.sh"
need zstd
cat >env.toml <<'SPEC'
format = 1
[image]
name = "mirrors"
[python]
version = "3.11"
packages = ["rich"]
SPEC
"$IMGBUILD" build env.toml -q
cp env.lock first.lock
mv mirrors.oci first.oci

archive=$("$IMGBUILD" debug sources | sed -n 's/^debian //p')
security=$("$IMGBUILD" debug sources | sed -n 's/^debian-security //p')
index=$("$IMGBUILD" debug sources | sed -n 's/^python //p')
coproc PROXY { python3 "$TOP/tests/e2e/auth_proxy.py" someone hush-hush \
  "debian=$archive" "debian-security=$security" "simple=$index"; }
read -r port <&"${PROXY[0]}"
host=mirror-of-this-test.localhost  # loopback, by a name that stands in no program (RFC 6761, 6.3)
export IMGBUILD_DEBIAN_MIRROR="http://someone:hush-hush@$host:$port/debian"
export PIP_INDEX_URL="http://someone:hush-hush@$host:$port/simple"
export XDG_CACHE_HOME="$WORK/other-cache" no_proxy="$host,127.0.0.1"

"$IMGBUILD" build env.toml -v --locked >output 2>&1 || { cat output; fail "the build"; }
cmp first.oci/index.json mirrors.oci/index.json || fail "another image"
rm env.lock
"$IMGBUILD" lock env.toml -v >>output 2>&1
cmp first.lock env.lock || fail "another lock"
nowhere=()
for secret in someone:hush-hush hush-hush "$host" "127.0.0.1:$port" "$(printf someone:hush-hush | base64)"; do
  nowhere+=(--nowhere "$secret")
done
unset IMGBUILD_DEBIAN_MIRROR PIP_INDEX_URL
mapfile -t hosts < <(transport_hosts)
python3 "$TOP/tests/e2e/find_hosts.py" "${nowhere[@]}" "${hosts[@]}" mirrors.oci env.lock output
# It finds what is there: a text of a package, deep in a compressed layer, and one of ours.
for there in "--nowhere=import sys" --host=imgbuild; do
  if python3 "$TOP/tests/e2e/find_hosts.py" "$there" mirrors.oci >/dev/null 2>/dev/null; then fail "$there was not found"; fi
done

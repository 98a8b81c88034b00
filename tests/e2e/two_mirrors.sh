#!/usr/bin/env bash
# The same lock gives the same image from another mirror and index, one that wants credentials, and
# neither hosts nor credentials are in any byte of image, lock or output.
. "$(dirname "$0")/lib.sh"
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
export IMGBUILD_DEBIAN_MIRROR="http://someone:hush-hush@127.0.0.1:$port/debian"
export PIP_INDEX_URL="http://someone:hush-hush@127.0.0.1:$port/simple"
export XDG_CACHE_HOME="$WORK/other-cache" no_proxy=127.0.0.1

"$IMGBUILD" build env.toml -v --locked >output 2>&1 || { cat output; fail "the build"; }
cmp first.oci/index.json mirrors.oci/index.json || fail "another image"
rm env.lock
"$IMGBUILD" lock env.toml -v >>output 2>&1
cmp first.lock env.lock || fail "another lock"
for secret in hush-hush someone "$port"; do
  ! grep -q -- "$secret" output env.lock || fail "$secret is in output or lock"
  ! grep -rqa -- "$secret" mirrors.oci || fail "$secret is in the image"
done
unset IMGBUILD_DEBIAN_MIRROR PIP_INDEX_URL  # 127.0.0.1 stands in programs for reasons of their own
python3 "$TOP/tests/e2e/find_hosts.py" mirrors.oci env.lock

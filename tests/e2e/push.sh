#!/usr/bin/env bash
# A real registry on loopback, without and with a login: what is pushed there others read, a second
# push sends nothing, and another repository takes over blobs.
. "$(dirname "$0")/lib.sh"
need docker-registry htpasswd skopeo
want_podman=yes example v1-python
port=$(free_port)
secure=$(free_port)

registry() {  # name, port, more configuration
  mkdir -p "$1"
  cat >"$1.yml" <<CONF
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $WORK/$1}, delete: {enabled: true}}
http: {addr: "127.0.0.1:$2"}
${3:-}
CONF
  docker-registry serve "$1.yml" >"$1.log" 2>&1 &
  processes+=($!)
}
htpasswd -Bbn ann secret >users
registry open "$port"
registry locked "$secure" "auth: {htpasswd: {realm: mini, path: $WORK/users}}"
for port_of in "$port" "$secure"; do
  for _ in $(seq 50); do curl -s -o /dev/null --noproxy '*' "http://127.0.0.1:$port_of/v2/" && break; sleep 0.1; done
done
export no_proxy=127.0.0.1
there="127.0.0.1:$port/team/v1"

# What arrives is the image, byte for byte, under all its tags.
out=$("$IMGBUILD" push "$image" "docker://$there:one" --tag two --insecure 2>&1)
contains "first push" "$out" "0 mounted, 0 there before"
digest=$(python3 -c 'import json; print(json.load(open("'"$E2E_ROOT"'/images/v1-python.oci/index.json"))["manifests"][0]["digest"])')
for tag in one two; do
  equal "digest under $tag" "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$there:$tag")" "$digest"
done
skopeo copy -q --src-tls-verify=false --preserve-digests "docker://$there:one" oci:back.oci:test
python3 "$TOP/tests/e2e/check_layout.py" back.oci
id=$(podman pull -q --tls-verify=false "$there:one")
contains "podman run" "$(podman run --rm "$id" python3 --version)" "Python 3.11"

export REGISTRY_AUTH_FILE="$WORK/auth.json"  # none yet, which podman refuses

# Again: nothing is sent. Another repository: everything is mounted.
contains "second push" "$("$IMGBUILD" push "$image" "$there:one" --insecure 2>&1)" "it was there already"
contains "other repository" "$("$IMGBUILD" push "$image" "127.0.0.1:$port/other/v1:x" --insecure 2>&1)" "0 B over the network"

# A build that pushes: it writes no layout, and annotations leave layers and configuration alone.
cp "$TOP"/specs/examples/v1-python.toml "$E2E_ROOT/images/v1-python.lock" .
built="127.0.0.1:$port/built/v1"
out=$("$IMGBUILD" build v1-python.toml --no-local --locked --insecure --push "docker://$built:a" \
  --push "$built:b" --annotation org.opencontainers.image.revision=3f2c1e 2>&1)
contains "build and push" "$out" "  $built:b"
[ ! -e v1-python.oci ] || fail "a layout was written"
skopeo inspect --raw --tls-verify=false "docker://$built:b" >annotated.json
skopeo inspect --raw --tls-verify=false "docker://$there:one" >plain.json
python3 - <<'PYTHON'
import json
plain, annotated = (json.load(open(name)) for name in ("plain.json", "annotated.json"))
assert annotated.pop("annotations").pop("org.opencontainers.image.revision") == "3f2c1e"
plain.pop("annotations", None)
assert plain == annotated, (plain, annotated)
PYTHON
contains "again" "$("$IMGBUILD" build v1-python.toml --no-local --locked --insecure \
  --push "$built:a" --annotation org.opencontainers.image.revision=3f2c1e 2>&1)" "it was there already"
status=0; "$IMGBUILD" build v1-python.toml --no-local --insecure --push "127.0.0.1:1/x" >refused.log 2>&1 || status=$?
equal "status of a push to nowhere" "$status" 1

# A login: refused without, kept by login, read from podman's file, forgotten by logout.
locked="127.0.0.1:$secure/team/v1:one"
status=0; out=$("$IMGBUILD" push "$image" "$locked" --insecure 2>&1) || status=$?
equal "status without a login" "$status" 1
contains "without a login" "$out" "imgbuild login 127.0.0.1:$secure"
status=0; echo wrong | "$IMGBUILD" login "127.0.0.1:$secure" -u ann --password-stdin --insecure >/dev/null 2>&1 || status=$?
equal "status of a wrong login" "$status" 1
[ ! -e auth.json ] || fail "a wrong login was kept"
echo secret | "$IMGBUILD" login "127.0.0.1:$secure" -u ann --password-stdin --insecure >/dev/null
equal "mode of the file" "$(stat -c %a auth.json)" 600
out=$("$IMGBUILD" push "$image" "$locked" --insecure -v --json 2>&1)
case "$out" in *secret* | *YW5uOnNlY3JldA*) fail "the password shows" ;; esac
equal "podman reads the login" "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$locked")" "$digest"
"$IMGBUILD" logout "127.0.0.1:$secure" >/dev/null
status=0; "$IMGBUILD" push "$image" "$locked" --insecure >/dev/null 2>&1 || status=$?
equal "status after logout" "$status" 1

# A registry that speaks no TLS is not taken for one that does.
status=0; out=$("$IMGBUILD" push "$image" "$there:one" 2>&1) || status=$?
equal "status without TLS" "$status" 1

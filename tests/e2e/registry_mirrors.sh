#!/usr/bin/env bash
# Mirrors of registries.conf: an image comes from the first that has it. One that is down, lacks the
# image or wants a login is passed over, a push goes to none, and none gets the registry's own login.
. "$(dirname "$0")/registry_lib.sh"
need docker-registry htpasswd
image_of app 1000 300000
htpasswd -Bbn ann secret >users
htpasswd -Bbn bob another >mirror-users
upstream=$(free_port) first=$(free_port) second=$(free_port) closed=$(free_port) open=$(free_port)
registry upstream "$upstream" "" "" "auth: {htpasswd: {realm: upstream, path: $WORK/users}}"
upstream_pid=$registry_pid
registry closed "$closed" "" "" "auth: {htpasswd: {realm: mirror, path: $WORK/mirror-users}}"
registry open "$open"
ledger() { : >"$1.ledger"; background "$1-ledger" "$2" python3 "$TOP/tests/e2e/upload_ledger.py" "$2" "$3" 100000000 "$WORK/$1.ledger"; }
ledger second "$second" "$open"
cat >registries.conf <<CONF
[[registry]]
prefix = "registry.example"
location = "127.0.0.1:$upstream"
insecure = true
[[registry.mirror]]
location = "127.0.0.1:$first"
insecure = true
[[registry.mirror]]
location = "127.0.0.1:$second"
insecure = true
CONF
in_base64() { printf %s "$1" | base64 -w0; }
printf '{"auths": {"registry.example": {"auth": "%s"}}}' "$(in_base64 ann:secret)" >auth.json
image="docker://registry.example/team/app:x"

pull() {  # name of a machine that has nothing yet
  XDG_CACHE_HOME="$WORK/$1" "$IMGBUILD" pull -q "$image" -o "oci:$1.oci:x"
  equal "what $1 pulled" "$(layout_digest "$1.oci")" "$digest"
  check "$1.oci"
  equal "what $1 saw" "sha256:$(XDG_CACHE_HOME="$WORK/$1" "$IMGBUILD" inspect --raw "$image" | sha256sum | cut -d' ' -f1)" "$digest"
}
logins() {  # ledger: those that came with its requests, each once
  python3 -c 'import json, sys; print(*sorted({str(json.loads(line)["authorization"]) for line in sys.stdin}))' <"$1.ledger"
}
# How many of its requests for blobs were answered.
blobs() { grep -c '"GET".*/blobs/.*"status": 200' "$1.ledger" || true; }

# The first is down throughout, the second lacks the image: the registry itself has it.
"$IMGBUILD" push -q oci:app.oci "$image"
equal "what a push told the mirror" "$(cat second.ledger)" ""
pull nobody
equal "blobs of a mirror without them" "$(blobs second)" 0
[ -s second.ledger ] || fail "the second mirror was not asked"
equal "logins at a mirror" "$(logins second)" None

# Once the second has it, the registry itself is not needed.
kill "$upstream_pid"
wait "$upstream_pid" 2>/dev/null || true
"$IMGBUILD" push -q oci:app.oci "127.0.0.1:$open/team/app:x" --insecure
pull mirrored
equal "blobs of a mirror" "$(blobs second)" 3
equal "logins at a mirror" "$(logins second)" None

# A first that asks for a login, which nobody here has for it.
ledger first "$first" "$closed"
pull refused
contains "what it answered" "$(cat first.ledger)" '"status": 401'
equal "logins at a mirror that asks for one" "$(logins first)" None

# Its own login it gets.
export "IMGBUILD_REGISTRY_127_0_0_1_${closed}_USERNAME=bob" "IMGBUILD_REGISTRY_127_0_0_1_${closed}_PASSWORD=another"
export "IMGBUILD_REGISTRY_127_0_0_1_${first}_USERNAME=bob" "IMGBUILD_REGISTRY_127_0_0_1_${first}_PASSWORD=another"
"$IMGBUILD" push -q oci:app.oci "127.0.0.1:$closed/team/app:x" --insecure
: >second.ledger
pull first
equal "blobs of the first" "$(blobs first)" 3
contains "its login" "$(logins first)" "Basic $(in_base64 bob:another)"
equal "what the second was asked" "$(cat second.ledger)" ""

#!/usr/bin/env bash
# Whatever proves who pushes and wherever it was found: it stands in nothing that the program says,
# of a push that succeeds, that is refused, that breaks off or that crashes; in no command line, and
# in no core file.
. "$(dirname "$0")/registry_lib.sh"
. "$TOP/tests/e2e/registry_token_lib.sh"
need docker-registry htpasswd
# With characters that change in URLs and in JSON.
export TOKEN_PASSWORD='pa/ss+4c1b=9e7a"x' TOKEN_REFRESH='re/fresh+8d2f=60c3"x'
image_of app 1000 300000
image_of large 9000000
basic=$(free_port) bearer=$(free_port) tokens=$(free_port) through=$(free_port) breaking=$(free_port)
htpasswd -Bbn ann "$TOKEN_PASSWORD" >users
registry basic "$basic" "" "" "auth: {htpasswd: {realm: mini, path: $WORK/users}}"
basic_pid=$registry_pid
token_server tokens "$tokens"
token_registry bearer "$bearer" "http://127.0.0.1:$tokens/token"

# A credential helper, which writes down what anybody could see of it and of what started it.
mkdir bin
cat >bin/docker-credential-spy <<'SPY'
#!/bin/sh
tr '\0' ' ' <"/proc/$$/cmdline" >>"$SPY_LOG"
tr '\0' ' ' <"/proc/$PPID/cmdline" >>"$SPY_LOG"
cat >>"$SPY_LOG"
cat "$SPY_ANSWER"
SPY
chmod +x bin/docker-credential-spy
export PATH="$WORK/bin:$PATH" SPY_LOG="$WORK/spy.said" SPY_ANSWER="$WORK/spy.json"
helper() { printf '{"credHelpers": {"127.0.0.1:%s": "spy"}}' "$1" >auth.json; }
answer() { python3 -c 'import json, sys; print(json.dumps(dict(zip(("Username", "Secret"), sys.argv[1:]))))' "$1" "$2" >spy.json; }
entry() {  # port, key, value: an auth.json with it
  python3 -c 'import json, sys; print(json.dumps({"auths": {"127.0.0.1:" + sys.argv[1]: {sys.argv[2]: sys.argv[3]}}}))' "$@" >auth.json
}
in_base64() { printf %s "$1" | base64 -w0; }

# The kinds, each of which pushes here with nothing but what it sets.
use() {  # kind, port, whether it is right
  local password=$TOKEN_PASSWORD identity=$TOKEN_REFRESH
  [ "$3" = right ] || { password="wrong$password"; identity="wrong$identity"; }
  case "$1" in
    environment) export "$(variable "$2" USERNAME)=ann" "$(variable "$2" PASSWORD)=$password" ;;
    file) entry "$2" auth "$(in_base64 "ann:$password")" ;;
    helper) helper "$2"; answer ann "$password" ;;
    identity_environment) export "$(variable "$2" TOKEN)=$identity" ;;
    identity_file) entry "$2" identitytoken "$identity" ;;
    identity_helper) helper "$2"; answer "<token>" "$identity" ;;
  esac
}
forget() { logout "$1"; rm -f auth.json; }

attempt() {  # name, status, what to push, where, options
  local name=$1 expected=$2 image=$3 to=$4 status=0
  shift 4
  "$IMGBUILD" push "oci:$image.oci" "$to" --insecure -v --trace "$name.trace.said" "$@" \
    >"$name.said" 2>"$name.err.said" || status=$?
  equal "status of $name" "$status" "$expected"
}
for kind in environment:basic file:basic helper:basic environment:bearer file:bearer helper:bearer \
  identity_environment:bearer identity_file:bearer identity_helper:bearer; do
  registry_of=${kind#*:} port=${!registry_of} kind=${kind%:*}
  name="$kind-$registry_of"
  use "$kind" "$port" right
  attempt "$name" 0 app "127.0.0.1:$port/$kind/plain:x"
  attempt "$name-json" 0 app "127.0.0.1:$port/$kind/json:x" --json
  contains "$name" "$(cat "$name.err.said")" "127.0.0.1:$port/$kind/plain"  # it does say something
  use "$kind" "$port" wrong
  attempt "$name-refused" 1 app "127.0.0.1:$port/$kind/refused:x"
  attempt "$name-refused-json" 1 app "127.0.0.1:$port/$kind/refused:x" --json
  contains "$name-refused" "$(cat "$name-refused.err.said")" "127.0.0.1:$port refuses access"
  forget "$port"
done
[ -s spy.said ] || fail "no credential helper was asked"
for word in "wrong$TOKEN_PASSWORD" "$TOKEN_PASSWORD"; do
  status=0
  printf %s "$word" | "$IMGBUILD" login "127.0.0.1:$basic" -u ann --password-stdin --insecure -v --json \
    >>login.said 2>&1 || status=$?
done
equal "status of the right login" "$status" 0
rm auth.json

# In the middle of a push, through a slow line: a crash, then a registry that goes away.
background proxy "$through" python3 "$TOP/tests/e2e/upload_ledger.py" "$through" "$bearer" 4000000 "$WORK/ledger"
ulimit -c unlimited 2>/dev/null || echo "core files are forbidden here anyhow"
: >ledger
in_the_middle() {  # of the upload to that repository
  for _ in $(seq 500); do
    [ "$(grep -c "POST.*/$1/blobs" ledger)" = 2 ] && break  # the configuration, the layer
    sleep 0.02
  done
  sleep 0.3
}
for signal in abrt segv; do
  for kind in environment identity_environment; do
    use "$kind" "$through" right
    "$IMGBUILD" push oci:large.oci "127.0.0.1:$through/crash/$signal-$kind:x" --insecure -v \
      >"crash-$signal-$kind.said" 2>"crash-$signal-$kind.err.said" &
    push=$!
    in_the_middle "crash/$signal-$kind"
    tr '\0' ' ' <"/proc/$push/cmdline" >"crash-$signal-$kind.cmdline.said"
    contains "the limit of core files" "$(grep 'Max core file size' "/proc/$push/limits")" " 1 "
    kill -"${signal^^}" "$push" || fail "the push was over before it could crash"
    status=0; wait "$push" 2>/dev/null || status=$?
    [ "$status" -gt 128 ] || fail "the push survived SIG${signal^^}: $status"
    forget "$through"
    : >ledger
  done
done
[ -z "$(find . -maxdepth 1 -name 'core*')" ] || fail "a core file was left: $(ls core*)"

background broken "$breaking" python3 "$TOP/tests/e2e/upload_ledger.py" "$breaking" "$basic" 4000000 "$WORK/ledger"
use environment "$breaking" right
attempt broken 1 large "127.0.0.1:$breaking/team/broken:x" &
broken=$!
in_the_middle team/broken
kill -9 "$basic_pid"
wait "$basic_pid" 2>/dev/null || true
wait "$broken" || fail "$(cat broken.err.said)"
contains "a push that breaks off" "$(cat broken.err.said)" "127.0.0.1:$breaking"

python3 - *.said <<'PYTHON'
import base64, json, os, sys, urllib.parse
secrets = {"_state="}
for word in (os.environ["TOKEN_PASSWORD"], os.environ["TOKEN_REFRESH"]):
    for form in (word, "wrong" + word):
        secrets |= {form, urllib.parse.quote(form, safe=""), json.dumps(form)[1:-1],
                    base64.b64encode(("ann:" + form).encode()).decode()}
for line in open("tokens.ledger"):
    token = json.loads(line).get("token")
    if token:
        secrets |= {token, token.split(".")[1], token.split(".")[2]}
for name in sys.argv[1:]:
    said = open(name).read()
    found = [secret for secret in secrets if secret in said]
    assert not found, f"{name} holds {found[0][:40]}"
print(f"{len(sys.argv) - 1} outputs hold none of {len(secrets)} secrets")
PYTHON

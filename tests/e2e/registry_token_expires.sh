#!/usr/bin/env bash
# Tokens that run out while a push or a pull is under way, later and earlier than their server said:
# others are got, and the image arrives.
. "$(dirname "$0")/registry_lib.sh"
. "$TOP/tests/e2e/registry_token_lib.sh"
image_of app 2000000 4000000 6000000

tokens_of() { grep -c '"proof": "password"' "$1.ledger"; }
run() {  # name, the token server's options
  local name=$1 port tokens through
  shift
  port=$(free_port) tokens=$(free_port) through=$(free_port)
  token_server "$name-tokens" "$tokens" "$@"
  token_registry "$name" "$port" "http://127.0.0.1:$tokens/token"
  background "$name-proxy" "$through" python3 "$TOP/tests/e2e/upload_ledger.py" "$through" "$port" \
    1200000 "$WORK/$name.requests"
  login "$through"
  "$IMGBUILD" push -q oci:app.oci "127.0.0.1:$through/team/app:x" --insecure
  pushing=$(tokens_of "$name-tokens")
  expired=$(grep -c '"status": 401' "$name.requests" || true)
  XDG_CACHE_HOME="$WORK/$name-cache" "$IMGBUILD" pull -q "127.0.0.1:$through/team/app:x" -o "oci:$name.oci:x" --insecure
  equal "$name: the image" "$(layout_digest "$name.oci")" "$digest"
  check "$name.oci"
  echo "$name: $pushing tokens and $expired refusals in a push"
}

# Good for 2 seconds and not for the 5 minutes that the server says: the registry refuses, in the
# middle of the push, a token that it took before.
run early --lives 2 --says 300
[ "$pushing" -ge 2 ] || fail "the push got $pushing tokens"
[ "$expired" -ge 2 ] || fail "the registry refused no token in the middle of a push"  # the first has none

# Good for longer than the 12 seconds that the server says, of which the client trusts 2.
run late --lives 60 --says 12
[ "$pushing" -ge 2 ] || fail "the push got $pushing tokens"
equal "refusals while tokens are renewed in time" "$expired" 1

#!/usr/bin/env bash
# A registry that wants tokens of a token server: got with a password, with an identity token, and by
# anybody; with the rights of a mount; refused with a reason.
. "$(dirname "$0")/registry_lib.sh"
. "$TOP/tests/e2e/registry_token_lib.sh"
port=$(free_port) tokens=$(free_port)
token_server tokens "$tokens"
token_registry store "$port" "http://127.0.0.1:$tokens/token"
image_of app 1000 300000
there="127.0.0.1:$port/team/app"
pushed() {  # tag: what is there, as a client with a token sees it
  "$IMGBUILD" inspect --raw --insecure "$there:$1" | sha256sum | sed 's/^/sha256:/; s/ .*//'
}

# Nobody may push, and a wrong password is told as such.
refused 1 "127.0.0.1:$port" "answers 401" "imgbuild login" -- "$IMGBUILD" push oci:app.oci "$there:x" --insecure
login "$port"
export "$(variable "$port" PASSWORD)=another"
refused 1 "127.0.0.1:$port" "token server answers 401" "$(variable "$port" USERNAME)" -- \
  "$IMGBUILD" push oci:app.oci "$there:x" --insecure
equal "proofs so far" "$(proofs tokens.ledger)" "none wrong"

# With the right one; the token is for this repository and for what is done there.
: >tokens.ledger
login "$port"
"$IMGBUILD" push -q oci:app.oci "$there:one" --insecure
equal "with a password" "$(pushed one)" "$digest"
equal "proofs" "$(proofs tokens.ledger)" password
contains "the scope" "$(head -1 tokens.ledger)" '"scopes": ["repository:team/app:pull,push"'
contains "the service" "$(head -1 tokens.ledger)" '"service": "registry.example"'

# Another repository takes over what is here: with the right to read it, nothing is sent.
: >tokens.ledger
contains "a mount" "$("$IMGBUILD" push oci:app.oci "127.0.0.1:$port/other/app:x" --insecure 2>&1)" "0 B over the network"
contains "the scopes of a mount" "$(cat tokens.ledger)" '"repository:team/app:pull"'

# An identity token, from the environment and from the file that docker writes.
logout "$port"
: >tokens.ledger
export "$(variable "$port" TOKEN)=$TOKEN_REFRESH"
"$IMGBUILD" push -q oci:app.oci "$there:two" --insecure
equal "with an identity token" "$(pushed two)" "$digest"
logout "$port"
printf '{"auths": {"127.0.0.1:%s": {"auth": "YW5uOg==", "identitytoken": "%s"}}}' "$port" "$TOKEN_REFRESH" >auth.json
"$IMGBUILD" push -q oci:app.oci "$there:three" --insecure
equal "with docker's file" "$(pushed three)" "$digest"
equal "proofs of identity tokens" "$(proofs tokens.ledger)" "refresh token"
rm auth.json

# A login is tried before it is kept.
[ ! -e auth.json ]
status=0; echo another | "$IMGBUILD" login "127.0.0.1:$port" -u ann --password-stdin --insecure >/dev/null 2>&1 || status=$?
equal "status of a wrong login" "$status" 1
[ ! -e auth.json ] || fail "a wrong login was kept"
echo "$TOKEN_PASSWORD" | "$IMGBUILD" login "127.0.0.1:$port" -u ann --password-stdin --insecure >/dev/null
"$IMGBUILD" push -q oci:app.oci "127.0.0.1:$port/public/app:x" --insecure
"$IMGBUILD" logout "127.0.0.1:$port" >/dev/null

# A login for a namespace asks for the right to read that, and is kept for it.
: >tokens.ledger
echo "$TOKEN_PASSWORD" | "$IMGBUILD" login "127.0.0.1:$port/team/" -u ann --password-stdin --insecure >/dev/null
contains "the scope of a namespace's login" "$(cat tokens.ledger)" '"scopes": ["repository:team:pull"]'
"$IMGBUILD" push -q oci:app.oci "$there:four" --insecure
"$IMGBUILD" logout "127.0.0.1:$port/team" >/dev/null

# Anybody may pull what is public, with a token for nobody.
: >tokens.ledger
XDG_CACHE_HOME="$WORK/nobody" "$IMGBUILD" pull -q "127.0.0.1:$port/public/app:x" -o oci:back.oci:x --insecure
equal "what was pulled" "$(layout_digest back.oci)" "$digest"
check back.oci
equal "proofs of a pull" "$(proofs tokens.ledger)" none
refused 1 "127.0.0.1:$port" -- "$IMGBUILD" pull "$there:one" -o oci:none.oci --insecure

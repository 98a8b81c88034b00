# A registry that wants tokens, and the server that gives them. After registry_lib.sh.
need docker-registry openssl
export TOKEN_PASSWORD=pass-4c1b9e7a TOKEN_REFRESH=refresh-8d2f60c3
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tokens -keyout tokens.key -out tokens.crt \
  2>openssl.log || fail "openssl: $(cat openssl.log)"

token_server() {  # name, port, options; its ledger is NAME.ledger
  local name=$1 port=$2
  shift 2
  : >"$name.ledger"
  background "$name" "$port" python3 "$TOP/tests/e2e/token_server.py" "$port" "$WORK/tokens.key" \
    "$WORK/tokens.crt" "$WORK/$name.ledger" "$@"
}
# A registry that sends clients to the token server at that URL.
token_registry() {  # name, port, URL, more of http
  registry "$1" "$2" "${4:-}" "" \
    "auth: {token: {realm: '$3', service: registry.example, issuer: tests, rootcertbundle: $WORK/tokens.crt}}"
}

# The environment's name of something for a registry on loopback.
variable() { echo "IMGBUILD_REGISTRY_127_0_0_1_$1_$2"; }  # port, what
login() { export "$(variable "$1" USERNAME)=ann" "$(variable "$1" PASSWORD)=$TOKEN_PASSWORD"; }  # port
logout() { unset "$(variable "$1" USERNAME)" "$(variable "$1" PASSWORD)" "$(variable "$1" TOKEN)"; }  # port
proofs() {  # ledger: how the requests proved who asked, each kind once
  python3 -c 'import json, sys; print(" ".join(sorted({json.loads(line)["proof"] for line in sys.stdin})))' <"$1"
}

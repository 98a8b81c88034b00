#!/usr/bin/env bash
# A token server with TLS beside a registry with TLS: what is trusted for the registry holds for the
# server that it names, and nothing is sent where there is no trust.
. "$(dirname "$0")/registry_lib.sh"
. "$TOP/tests/e2e/registry_token_lib.sh"
unset SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE PIP_CERT
authority ours
certificate server ours IP:127.0.0.1
port=$(free_port) tokens=$(free_port)
token_server tokens "$tokens" --tls "$WORK/server.key" "$WORK/server.crt"
token_registry store "$port" "https://127.0.0.1:$tokens/token" \
  "tls: {certificate: $WORK/server.crt, key: $WORK/server.key}"
image_of app 1000 300000
there="127.0.0.1:$port/team/app"
login "$port"
raw() { "$IMGBUILD" inspect --raw "$@" | sha256sum | sed 's/^/sha256:/; s/ .*//'; }

refused 1 certificate -- "$IMGBUILD" push oci:app.oci "$there:none"
mkdir -p "$certs/127.0.0.1:$port"
cp ours.crt "$certs/127.0.0.1:$port/"
"$IMGBUILD" push -q oci:app.oci "$there:certs"
equal "by certs.d" "$(raw "$there:certs")" "$digest"
rm -r "$certs"
"$IMGBUILD" push -q oci:app.oci "$there:insecure" --insecure
equal "--insecure" "$(raw "$there:insecure" --insecure)" "$digest"

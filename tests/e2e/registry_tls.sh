#!/usr/bin/env bash
# A registry with TLS of its own authority: trusted by certs.d or the bundle that the environment
# names, refused else; unchecked where one says so; with a certificate of the client's own.
. "$(dirname "$0")/registry_lib.sh"
need docker-registry skopeo openssl
scheme=https
unset SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE REQUESTS_CA_BUNDLE PIP_CERT
authority ours
authority strangers
certificate server ours IP:127.0.0.1
certificate misnamed ours DNS:registry.example
certificate client ours DNS:client.example
certificate intruder strangers DNS:client.example
authority selfsigned  # a certificate that vouches for itself
image_of app 1000 300000

tls() { printf 'tls: {certificate: %s.crt, key: %s.key%s}' "$WORK/$1" "$WORK/$1" "${2:-}"; }
port=$(free_port) other=$(free_port) self=$(free_port) mutual=$(free_port)
registry store "$port" "$(tls server)"
registry misnamed "$other" "$(tls misnamed)"
registry selfsigned "$self" "$(tls selfsigned)"
registry mutual "$mutual" "$(tls server ", clientcas: [$WORK/ours.crt]")"
there="127.0.0.1:$port/team/app"
trust() { mkdir -p "$certs/127.0.0.1:$1"; cp "$2" "$certs/127.0.0.1:$1/"; }
push() { "$IMGBUILD" push oci:app.oci "docker://$1"; }
pull() { rm -rf back.oci; "$IMGBUILD" pull -q "docker://$1" -o oci:back.oci; check back.oci; }

# An authority that nobody here knows.
refused 1 "127.0.0.1:$port" certificate SSL_CERT_FILE -- push "$there:unknown"
equal "a push without trust" "$(digest_at "$there:unknown")" ""
refused 1 "127.0.0.1:$port" certificate SSL_CERT_FILE -- pull "$there:unknown"
trust "$port" strangers.crt
refused 1 certificate -- push "$there:unknown"
rm -r "$certs"

# Known by certs.d, and by the bundle that the environment names.
trust "$port" ours.crt
push "$there:certs"
equal "by certs.d" "$(skopeo inspect --cert-dir "$certs/127.0.0.1:$port" --format '{{.Digest}}' "docker://$there:certs")" "$digest"
pull "$there:certs"
rm -r "$certs"
for variable in SSL_CERT_FILE CURL_CA_BUNDLE; do
  (
    export "$variable=$WORK/ours.crt"
    push "$there:$variable"
    equal "by $variable" "$(digest_at "$there:$variable")" "$digest"
    pull "$there:$variable"
  )
done

# Known, but for another name; one that vouches for itself.
trust "$other" ours.crt
refused 1 "127.0.0.1:$other" -- push "127.0.0.1:$other/team/app:x"
refused 1 certificate -- push "127.0.0.1:$self/team/app:x"
"$IMGBUILD" push oci:app.oci "127.0.0.1:$self/team/app:x" --insecure
equal "--insecure" "$(digest_at "127.0.0.1:$self/team/app:x")" "$digest"
"$IMGBUILD" pull -q "127.0.0.1:$self/team/app:x" -o oci:insecure.oci --insecure
check insecure.oci
printf '[[registry]]\nlocation = "127.0.0.1:%s"\ninsecure = true\n' "$self" >registries.conf
push "127.0.0.1:$self/team/app:conf"
equal "registries.conf" "$(digest_at "127.0.0.1:$self/team/app:conf")" "$digest"
pull "127.0.0.1:$self/team/app:conf"

# A registry that wants the client's certificate.
trust "$mutual" ours.crt
refused 1 "127.0.0.1:$mutual" -- push "127.0.0.1:$mutual/team/app:x"
cp intruder.crt "$certs/127.0.0.1:$mutual/client.cert"
cp intruder.key "$certs/127.0.0.1:$mutual/client.key"
refused 1 "127.0.0.1:$mutual" -- push "127.0.0.1:$mutual/team/app:x"
cp client.crt "$certs/127.0.0.1:$mutual/client.cert"
cp client.key "$certs/127.0.0.1:$mutual/client.key"
push "127.0.0.1:$mutual/team/app:x"
equal "a client's certificate" "$(digest_at "127.0.0.1:$mutual/team/app:x" --cert client.crt --key client.key)" "$digest"
pull "127.0.0.1:$mutual/team/app:x"

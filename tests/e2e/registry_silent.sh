#!/usr/bin/env bash
# A registry that falls silent in the middle of a push and of a pull, with every connection left open:
# both end by themselves, with an error that names it, and the next try goes well.
. "$(dirname "$0")/registry_lib.sh"
need docker-registry
image_of app 1000 3000000 9000000
port=$(free_port) deaf=$(free_port) mute=$(free_port) dead=$(free_port)
registry store "$port"
proxy() { background "proxy-$1" "$1" python3 "$TOP/tests/e2e/counting_proxy.py" "$1" "$port" 20000000 "$WORK/count-$1" "${@:2}"; }
proxy "$deaf" silent=6000000
proxy "$mute" answers silent=6000000
proxy "$dead" silent=0
export IMGBUILD_TIMEOUT=1
# Ends what does not end by itself with status 124, which is none of the program's.
command=(timeout 120 "$IMGBUILD")

"${command[@]}" push -q oci:app.oci "127.0.0.1:$port/here/app:x" --insecure
export XDG_CACHE_HOME="$WORK/empty"  # nothing is known of where blobs are

push() {
  refused 1 "127.0.0.1:$deaf" -- "${command[@]}" push oci:app.oci "127.0.0.1:$deaf/team/app:x" --insecure
  equal "the tag after half a push" "$(digest_at "127.0.0.1:$port/team/app:x")" ""
  "${command[@]}" push -q oci:app.oci "127.0.0.1:$port/team/app:x" --insecure
  equal "the tag" "$(digest_at "127.0.0.1:$port/team/app:x")" "$digest"
}
pull() {
  refused 1 "127.0.0.1:$mute" -- "${command[@]}" pull "127.0.0.1:$mute/here/app:x" -o oci:back.oci --insecure
  [ ! -e back.oci/index.json ] || fail "half an image was written"
  "${command[@]}" pull -q "127.0.0.1:$port/here/app:x" -o oci:back.oci --insecure
  check back.oci
}
# A registry that listens, and never says a word.
talk() {
  for action in "push oci:app.oci" inspect; do
    refused 1 "127.0.0.1:$dead" -- "${command[@]}" $action "127.0.0.1:$dead/team/app:x" --insecure
  done
}
# All of them wait rather than work.
waiting=()
for one in push pull talk; do ( trap - EXIT; "$one" ) & waiting+=($!); done
for one in "${waiting[@]}"; do wait "$one" || failed=yes; done
[ -z "${failed:-}" ] || fail "see above"

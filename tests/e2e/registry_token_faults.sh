#!/usr/bin/env bash
# A token server that fails once, at each request of a push that mounts and of a pull, in each way.
# What passes is got over. Where it refuses, or talks nonsense, an error says so, unless the token was
# but for a mount: no tag is there then, and the next try goes well.
. "$(dirname "$0")/registry_lib.sh"
. "$TOP/tests/e2e/registry_token_lib.sh"
port=$(free_port) tokens=$(free_port)
token_server tokens "$tokens" --spoil "$WORK/spoil"
token_registry store "$port" "http://127.0.0.1:$tokens/token"
image_of app 1000 300000
login "$port"
export IMGBUILD_TIMEOUT=1
home="127.0.0.1:$port/home/app:x"
"$IMGBUILD" push -q oci:app.oci "$home" --insecure
raw() { "$IMGBUILD" inspect --raw "$1" --insecure | sha256sum | sed 's/^/sha256:/; s/ .*//'; }

spoiled() {  # fault, number, command...: false where there is no request of that number
  local fault=$1 number=$2 expected=0 status=0 said
  shift 2
  case "$fault" in 403 | truncated | page) [ "$number" -gt 0 ] || expected=1 ;; esac
  echo "$fault $number" >spoil
  said=$(timeout 60 "$@" 2>&1) || status=$?
  [ ! -e spoil ] || { rm spoil; return 1; }
  equal "status of $1 with $fault at $number, which said $said" "$status" "$expected"
  case "$status $fault" in
    0*) ;;
    *403) contains "$fault at $number" "$said" "127.0.0.1:$port refuses access: its token server answers 403" ;;
    *) contains "$fault at $number" "$said" "no token for 127.0.0.1:$port: its token server's answer holds none" ;;
  esac
  failed=$status
}
for fault in 500 503 429 403 reset cut truncated page slow silence; do
  number=0
  while
    there="127.0.0.1:$port/$fault/app$number:x"
    rm -rf pushes && cp -r cache pushes  # which knows where the blobs are, and of no run but the first
    XDG_CACHE_HOME="$WORK/pushes" spoiled "$fault" "$number" "$IMGBUILD" push oci:app.oci "$there" --insecure
  do
    if [ "$failed" != 0 ]; then
      refused 1 "has no tag x" -- "$IMGBUILD" inspect "$there" --insecure
      "$IMGBUILD" push -q oci:app.oci "$there" --insecure
    fi
    equal "what was pushed with $fault at $number" "$(raw "$there")" "$digest"
    number=$((number + 1))
  done
  [ "$number" -ge 2 ] || fail "$fault: $number requests for tokens in a push that mounts"
  number=0
  export XDG_CACHE_HOME="$WORK/pulls"
  while
    rm -rf pulls back.oci
    spoiled "$fault" "$number" "$IMGBUILD" pull "$home" -o oci:back.oci:x --insecure
  do
    [ "$failed" = 0 ] || "$IMGBUILD" pull -q "$home" -o oci:back.oci:x --insecure
    equal "what was pulled with $fault at $number" "$(layout_digest back.oci)" "$digest"
    check back.oci
    number=$((number + 1))
  done
  [ "$number" -ge 1 ] || fail "$fault: no request for a token in a pull"
  export XDG_CACHE_HOME="$WORK/cache"
done

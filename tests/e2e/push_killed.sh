#!/usr/bin/env bash
# A push that is killed, and the same command again: no blob that was complete goes out again, none
# goes out whole twice, and a cut one goes on where the registry keeps what it got (distribution 3).
. "$(dirname "$0")/registry_lib.sh"
need docker-registry
program=${E2E_REGISTRY:-docker-registry}
port=$(free_port) ledger=$(free_port)
registry store "$port" "" "" "" "$program"
background proxy "$ledger" python3 "$TOP/tests/e2e/upload_ledger.py" "$ledger" "$port" 8000000 "$WORK/ledger"
image_of app 200000 3000000 7000000 22000000 30000000

: >ledger
completed() { grep -c '"PUT".*"status": 201' ledger || true; }
"$IMGBUILD" push oci:app.oci "127.0.0.1:$ledger/team/app:x" --insecure -q &
push=$!
for _ in $(seq 400); do
  [ "$(completed)" -ge 4 ] && break  # the configuration and three layers
  sleep 0.02
done
kill -9 "$push"
wait "$push" 2>/dev/null || true
# What the killed process had handed to the kernel still goes by; then the ledger has its cut requests.
before=-1
while [ "$before" != "$(wc -l <ledger)" ]; do before=$(wc -l <ledger); sleep 1; done
equal "the tag after half a push" "$(digest_at "127.0.0.1:$port/team/app:x")" ""

"$IMGBUILD" push oci:app.oci "127.0.0.1:$ledger/team/app:x" --insecure -q
equal "the tag" "$(digest_at "127.0.0.1:$port/team/app:x")" "$digest"
continued=
[ "$program" = docker-registry ] || continued=continued
python3 "$TOP/tests/e2e/sent_twice.py" ledger "$before" app.oci $continued
XDG_CACHE_HOME="$WORK/other" "$IMGBUILD" pull "127.0.0.1:$port/team/app:x" -o oci:back.oci:x --insecure -q
check back.oci

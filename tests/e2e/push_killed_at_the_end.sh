#!/usr/bin/env bash
# A push that is killed when all bytes of a blob are there and only the end of its upload is missing:
# the next one ends that upload, and sends nothing again.
. "$(dirname "$0")/registry_lib.sh"
need docker-registry
program=${E2E_REGISTRY:-docker-registry}
port=$(free_port) through=$(free_port)
registry store "$port" "" "" "" "$program"
ledger=(python3 "$TOP/tests/e2e/upload_ledger.py" "$through" "$port" 100000000)
image_of app 9000000

: >before
background held "$through" "${ledger[@]}" "$WORK/before" hold
holding=${processes[-1]}
"$IMGBUILD" push oci:app.oci "127.0.0.1:$through/team/app:x" --insecure -q &
push=$!
for _ in $(seq 500); do grep -q '"PUT".*"length": 0,' before && break; sleep 0.02; done
sleep 0.3
kill -9 "$push" "$holding"
wait "$push" "$holding" 2>/dev/null || true

background let "$through" "${ledger[@]}" "$WORK/after"
"$IMGBUILD" push oci:app.oci "127.0.0.1:$through/team/app:x" --insecure -q
equal "the tag" "$(digest_at "127.0.0.1:$port/team/app:x")" "$digest"
python3 - <<'PYTHON'
import json
came = lambda name: sum(json.loads(line)["came"] for line in open(name) if '"PATCH"' in line)
assert came("before") > 9000000, "the blob was not all there"
assert came("after") == 0, f"{came('after')} bytes went out again"
PYTHON

#!/usr/bin/env bash
# Two builds from one lock, in different places, times, umasks, locales, time zones, threads and
# caches, with app files of other times and modes, give the same bytes; no host name is in them.
. "$(dirname "$0")/lib.sh"
mkdir -p one two/deeper
for place in one two/deeper; do
  mkdir -p "$place/app"
  echo 'print("app")' >"$place/app/main.py"
  cat >"$place/env.toml" <<'SPEC'
format = 1
[image]
name = "repro"
[python]
version = "3.11"
packages = ["rich", "numpy"]
[[files]]
from = "app"
to = "/srv/app"
SPEC
done
chmod 600 one/app/main.py && touch -d 2001-01-01 one/app/main.py
chmod 664 two/deeper/app/main.py

(cd one && umask 022 && TZ=UTC LC_ALL=C XDG_CACHE_HOME="$WORK/cache1" "$IMGBUILD" build env.toml -q -j 1)
cp one/env.lock two/deeper/
(cd two/deeper && umask 077 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 HOME="$WORK" XDG_CACHE_HOME="$WORK/cache2" \
  "$IMGBUILD" build env.toml -q --locked -j 4)
cmp one/repro.oci/index.json two/deeper/repro.oci/index.json || fail "the index differs"
diff -r one/repro.oci/blobs two/deeper/repro.oci/blobs || fail "the blobs differ"
(cd one && "$IMGBUILD" build env.toml -q --locked --check)

python3 "$TOP/tests/e2e/find_hosts.py" one/repro.oci one/env.lock

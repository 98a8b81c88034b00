#!/usr/bin/env bash
# Two builds from one lock, in different places, umasks, locales, time zones, threads and caches, with
# another clock and app files of other times and modes, give the same bytes; no host is in them.
. "$(dirname "$0")/lib.sh"
need zstd localedef faketime
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
# A language with words and numbers of its own, and a clock two days ahead (no more: certificates of
# the network expire).
mkdir -p locales
localedef -i de_DE -f UTF-8 locales/de_DE.UTF-8
german=(env LOCPATH="$WORK/locales" LANG=de_DE.UTF-8 LC_ALL=de_DE.UTF-8 LANGUAGE=de)
equal "German" "$("${german[@]}" locale decimal_point)" ","
later=(env DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 faketime -f +2d)
[ "$("${later[@]}" date +%s)" -gt $(($(date +%s) + 170000)) ] || fail "faketime"
(cd two/deeper && umask 077 && TZ=Asia/Tokyo HOME="$WORK" XDG_CACHE_HOME="$WORK/cache2" \
  "${german[@]}" "${later[@]}" "$IMGBUILD" build env.toml -q --locked -j 4)
[ -n "$(find "$WORK/cache2/imgbuild" -newermt '+1 day' -print -quit)" ] || fail "the clock was not ahead"
cmp one/repro.oci/index.json two/deeper/repro.oci/index.json || fail "the index differs"
diff -r one/repro.oci/blobs two/deeper/repro.oci/blobs || fail "the blobs differ"
(cd one && "$IMGBUILD" build env.toml -q --locked --check)

mapfile -t hosts < <(transport_hosts)
python3 "$TOP/tests/e2e/find_hosts.py" "${hosts[@]}" one/repro.oci one/env.lock

#!/usr/bin/env bash
# A registry that is read-only for maintenance: it is pulled from, a push says why it cannot be.
. "$(dirname "$0")/registry_lib.sh"
need docker-registry
image_of other 2000
image_of app 1000 300000
open=$(free_port) closed=$(free_port)
registry store "$open"
folder="$WORK/store" registry closed "$closed" "" "maintenance: {readonly: {enabled: true}}"
there="127.0.0.1:$closed/team/app"

"$IMGBUILD" push -q oci:app.oci "127.0.0.1:$open/team/app:x" --insecure
"$IMGBUILD" pull -q "$there:x" -o oci:back.oci:x --insecure
equal "what was pulled" "$(layout_digest back.oci)" "$digest"
check back.oci
contains "a push of what is there" "$("$IMGBUILD" push oci:app.oci "$there:x" --insecure 2>&1)" "it was there already"

refused 1 "$there" 405 read-only -- "$IMGBUILD" push oci:other.oci "$there:new" --insecure
refused 1 "$there" 405 read-only -- "$IMGBUILD" push oci:app.oci "$there:moved" --insecure
for tag in new moved; do equal "the tag $tag" "$(digest_at "$there:$tag")" ""; done
refused 1 "$there" -- "$IMGBUILD" rm --yes --digest "$there:x" --insecure
equal "the tag after rm" "$(digest_at "$there:x")" "$digest"

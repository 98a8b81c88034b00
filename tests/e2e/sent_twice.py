"""Says of a push that was killed, and the same push again, what went out twice.

    sent_twice.py LEDGER BEFORE LAYOUT [continued]

LEDGER is upload_ledger.py's, of which the first BEFORE lines were there before the second push;
LAYOUT the image. Fails where a blob that was complete at the kill went out again, or a blob went out
whole twice; with "continued" where an upload that is large enough was not continued.
"""

import json
import pathlib
import sys

RESUMABLE = 4 << 20  # below, blobs go out in one request, and again where it is cut
UNSEEN = 1 << 20     # of a cut upload, what the registry need not have got

ledger, before, layout = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
entries = [json.loads(line) for line in open(ledger)]
first, second = ([entry for entry in part if entry["session"]]
                 for part in (entries[:before], entries[before:]))
sizes = {"sha256:" + blob.name: blob.stat().st_size for blob in (layout / "blobs/sha256").iterdir()}


def bytes_of(session, part):
    return sum(entry["came"] for entry in part if entry["session"] == session)


def completed(part):
    return {entry["digest"]: entry["session"] for entry in part
            if entry["method"] == "PUT" and entry["status"] == 201}


done, later = completed(first), completed(second)
cut = {entry["session"]: entry for entry in first
       if entry["status"] is None and 0 < entry["came"] < entry["length"]}
assert done, "no blob was complete at the kill"
assert any(entry["length"] >= RESUMABLE for entry in cut.values()), "no large blob was cut by the kill"
assert len(done | later) == len(sizes) - 1, "not every blob but the manifest went through the ledger"
assert not done.keys() & later.keys(), f"sent again, though complete: {done.keys() & later.keys()}"

for digest, session in (done | later).items():
    before_kill, after = bytes_of(session, first), bytes_of(session, second)
    assert before_kill == 0 or after == 0 or "continued" in sys.argv[4:], "2.8 continues nothing"
    unseen = UNSEEN if before_kill and after else 0
    came = before_kill + after
    assert sizes[digest] <= came <= sizes[digest] + unseen, f"{digest}: {came} of {sizes[digest]} bytes"

# Uploads that were begun and left: what they got went out in vain. Of no blob is that all of it.
left = {entry["session"] for entry in first} - set(done.values()) - set(later.values())
for session in left:
    came = bytes_of(session, first)
    assert came == 0 or session in cut, f"a whole blob went out in {session}, and again in another"
    if "continued" in sys.argv[4:]:
        assert came == 0 or cut[session]["length"] < RESUMABLE, f"{session} was not continued"
print(f"{len(done)} blobs were complete at the kill and {len(cut)} cut; of {sum(sizes.values())} bytes "
      f"{sum(bytes_of(session, first) for session in left)} went out again")

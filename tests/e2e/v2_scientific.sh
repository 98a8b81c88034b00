#!/usr/bin/env bash
# V2: the scientific stack imports, computes and draws; JupyterLab is there.
. "$(dirname "$0")/lib.sh"
example v2-scientific
run() { podman run --rm --network none "$image_id" "$@"; }

run python -c '
import jupyterlab, matplotlib, numpy, pandas, scipy.linalg
matplotlib.use("Agg")
import matplotlib.pyplot as plt
assert abs(scipy.linalg.det(numpy.eye(3)) - 1) < 1e-12
assert pandas.DataFrame({"a": [1, 2]}).a.sum() == 3
plt.plot([1, 2]); plt.savefig("/tmp/plot.png")
print("ok")' | grep -qx ok || fail "imports"
contains "jupyter lab --version" "$(run jupyter lab --version)" "."

#!/usr/bin/env bash
# Makes bench/peers/.venv with the Python peers (PyTorch, transformers). Needs Python >= 3.10 and a C++ compiler if
# torch.compile is to be tried. Usage: bench/peers/setup.sh [--force]
#
# torch is installed without its dependencies first: PyPI's Linux wheel asks for gigabytes of CUDA libraries that a CPU
# benchmark never calls. A "+cpu" wheel, if pip is offered one, imports like that; if the import fails, the CUDA
# libraries are installed after all.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
venv="$here/.venv"
stamp="$venv/.requirements"
if [ "${1:-}" != "--force" ] && cmp -s "$stamp" "$here/requirements.txt"; then
  echo "bench/peers/.venv is up to date"
  exit 0
fi
started=$(date +%s)
"$python" -m venv --clear "$venv"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
torch=$(grep '^torch==' "$here/requirements.txt")
pip install --no-deps "$torch"
alone='^(torch|captum|grad-cam|peft|accelerate)=='
grep -E '^(captum|grad-cam|peft|accelerate)==' "$here/requirements.txt" | pip install --no-deps -r /dev/stdin
# torch's own needs that are pure Python, then everything else that is pinned
pip install sympy networkx jinja2 fsspec filelock typing-extensions "setuptools>=77.0.3"
grep -vE "$alone" "$here/requirements.txt" | pip install -r /dev/stdin
if ! "$venv/bin/python" -c 'import torch' 2>/dev/null; then
  echo "this torch wheel needs its CUDA libraries: installing them (several GB)"
  pip install "$torch"
fi
cp "$here/requirements.txt" "$stamp"
"$venv/bin/python" - <<'PY'
import torch, transformers
print(f'torch {torch.__version__}, transformers {transformers.__version__}')
PY
echo "bench/peers/.venv: $(du -sh "$venv" | cut -f1) in $(($(date +%s) - started)) s"

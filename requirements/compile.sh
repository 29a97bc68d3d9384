#!/usr/bin/env bash
# Rewrites every lock file from its .in file: pinned by name, version and hash, with no address of a registry.
# One file serves every Python from 3.11 on and every platform. Usage: requirements/compile.sh [--upgrade]
set -euo pipefail
cd "$(dirname "$0")"
for role in installer functions-base functions-api functions-openai functions-databricks functions-prepare infra local dev bench; do
  ../.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
    --no-emit-index-url --custom-compile-command 'requirements/compile.sh' "$@" "$role.in" -o "$role.txt"
done

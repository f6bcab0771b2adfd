#!/bin/sh
# Builds quality.wasm. On Debian 12:
#   apt-get install clang lld
#   wasm/quality/build.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
clang --target=wasm32 -O3 -msimd128 -mbulk-memory -ffreestanding -fno-builtin-sin -fno-builtin-cos -nostdlib -Wall -Wextra \
  -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=65536 "$here/quality.c" -o "${1:-$here/quality.wasm}"

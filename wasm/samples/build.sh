#!/bin/sh
# Builds samples.wasm. On Debian 12:
#   apt-get install clang lld
#   wasm/samples/build.sh
set -eu
here=$(cd "$(dirname "$0")" && pwd)
clang --target=wasm32 -O3 -msimd128 -ffreestanding -nostdlib -Wall -Wextra \
  -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=4096 "$here/samples.c" -o "${1:-$here/samples.wasm}"

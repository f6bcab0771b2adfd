#!/bin/sh
# Builds lame.wasm from the unmodified sources of LAME. On Debian 12:
#   apt-get install clang lld wasi-libc libclang-rt-dev-wasm32
#   apt-get source lame      (with a deb-src line: 3.100)
#   wasm/lame/build.sh lame-3.100
set -eu
sources=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

flags="--target=wasm32-wasi -O3 -msimd128 -fno-math-errno -DNDEBUG -DHAVE_CONFIG_H
  -I$here -I$sources/include -I$sources/libmp3lame"
for file in "$sources"/libmp3lame/*.c; do
  case $file in *mpglib_interface.c) continue ;; esac
  # shellcheck disable=SC2086 # words
  clang $flags -w -c "$file" -o "$objects/$(basename "$file").o"
done
# shellcheck disable=SC2086 # words
clang $flags -Wall -c "$here/shim.c" -o "$objects/shim.o"
clang --target=wasm32-wasi -mexec-model=reactor -Wl,--strip-all -Wl,--gc-sections -Wl,-z,stack-size=262144 \
  -Wl,--max-memory=33554432 "$objects"/*.o -o "${2:-$here/lame.wasm}"

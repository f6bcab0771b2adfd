#!/bin/sh
# Builds aac.wasm from the unmodified sources of vo-aacenc, without its joint stereo. On Debian 12:
#   apt-get install clang lld wasi-libc libclang-rt-14-dev-wasm32
#   apt-get source vo-aacenc      (with a deb-src line: 0.1.3)
#   wasm/aac/build.sh vo-aacenc-0.1.3
set -eu
sources=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

flags="--target=wasm32-wasi -O3 -msimd128 -fwrapv -DNDEBUG -DLINUX
  -I$sources/aacenc/inc -I$sources/aacenc/basic_op -I$sources/common/include"
for file in "$sources"/aacenc/src/*.c "$sources"/aacenc/basic_op/*.c "$sources"/common/cmnMemory.c; do
  case $file in *ms_stereo.c) continue ;; esac
  # shellcheck disable=SC2086 # words
  clang $flags -w -c "$file" -o "$objects/$(basename "$file").o"
done
# shellcheck disable=SC2086 # words
clang $flags -Wall -c "$here/shim.c" -o "$objects/shim.o"
clang --target=wasm32-wasi -mexec-model=reactor -Wl,--strip-all -Wl,-z,stack-size=131072 \
  -Wl,--max-memory=16777216 "$objects"/*.o -o "${2:-$here/aac.wasm}"

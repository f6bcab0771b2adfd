#!/bin/sh
# Builds opus.wasm from the unmodified sources of libopus. On Debian 12:
#   apt-get install clang lld wasi-libc libclang-rt-14-dev-wasm32
#   apt-get source opus      (with a deb-src line of Debian 13: 1.5.2)
#   wasm/opus/build.sh opus-1.5.2
set -eu
sources=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT

# The names between "NAME = \" and the next blank line of a Makefile fragment.
list() { sed -n "/^$2 *=/,/^\$/p" "$sources/$1" | tr -d '\\' | sed 1d; }
files=$(list opus_sources.mk OPUS_SOURCES; list opus_sources.mk OPUS_SOURCES_FLOAT
  list celt_sources.mk CELT_SOURCES; list silk_sources.mk SILK_SOURCES; list silk_sources.mk SILK_SOURCES_FLOAT)

flags="--target=wasm32-wasi -O3 -msimd128 -fno-math-errno -DNDEBUG -DOPUS_BUILD -DVAR_ARRAYS -DFLOAT_APPROX
  -DENABLE_HARDENING -DOVERRIDE_celt_fatal -DHAVE_LRINT -DHAVE_LRINTF -DDISABLE_DEBUG_FLOAT ${OPUS_FLAGS:-}
  -ffile-prefix-map=$sources=opus
  -I$sources/include -I$sources/celt -I$sources/silk -I$sources/silk/float -I$sources/src -I$sources"
for file in $files; do
  case $file in *multistream*|*projection*|*mapping_matrix*) continue ;; esac
  # shellcheck disable=SC2086 # words
  clang $flags -w -c "$sources/$file" -o "$objects/$(echo "$file" | tr / _).o"
done
# shellcheck disable=SC2086 # words
clang $flags -c "$here/shim.c" -o "$objects/shim.o"
clang --target=wasm32-wasi -mexec-model=reactor -Wl,--strip-all -Wl,-z,stack-size=262144 \
  -Wl,--max-memory=268435456 "$objects"/*.o -o "${2:-$here/opus.wasm}"

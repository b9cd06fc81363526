#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything with clang, AddressSanitizer and UndefinedBehaviorSanitizer, and the fuzz targets with
# libFuzzer, in build-clang.
set -eu
CC=clang
export CC
exec "$(dirname "$0")/build.sh" build-clang -Dfuzz=true -Db_sanitize=address,undefined \
    -Dc_args=-fsanitize=fuzzer-no-link

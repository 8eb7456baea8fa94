#!/usr/bin/env bash
# Lays what the rv32imafc build needs under build/rv32-deps, from Debian packages alone: the header-only
# part of libstdc++ (packaged for ARM, the headers serve any newlib target) and the source of mbedTLS.
# Exit code 3: they can't be had here.
set -euo pipefail
cd "$(dirname "$0")/.."

deps=$PWD/build/rv32-deps
[ -e "$deps/complete" ] && exit 0
rm -rf "$deps"
mkdir -p "$deps/apt/sources.list.d" "$deps/apt/lists/partial" "$deps/download"
cd "$deps/download"

# The machine's own sources with deb-src added, in a package list of our own: the system's stays as it is.
for list in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    [ -e "$list" ] || continue
    case "$list" in
        *.sources)
            grep -q debian "$list" || continue
            sed 's/^Types: deb$/Types: deb deb-src/' "$list" >"$deps/apt/sources.list.d/$(basename "$list")" ;;
        *.list)
            sed -n 's/^deb \(.*debian.*\)/deb \1\ndeb-src \1/p' "$list" \
                >"$deps/apt/sources.list.d/$(basename "$list")" ;;
    esac
done
options=(-qq -o "Dir::Etc::SourceList=/dev/null" -o "Dir::Etc::SourceParts=$deps/apt/sources.list.d"
    -o "Dir::State::Lists=$deps/apt/lists" -o "APT::Sandbox::User=$(id -un)")
apt-get "${options[@]}" update || exit 3
apt-get "${options[@]}" source --download-only mbedtls || exit 3
apt-get "${options[@]}" download libstdc++-arm-none-eabi-dev || exit 3

dpkg-source --no-check -x mbedtls_*.dsc "$deps/mbedtls"
dpkg -x libstdc++-arm-none-eabi-dev_*.deb "$deps/libstdc++"
touch "$deps/complete"

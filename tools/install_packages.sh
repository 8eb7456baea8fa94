#!/usr/bin/env bash
# Installs the Debian packages named that are not installed yet. Silent when nothing is missing.
set -euo pipefail

missing=()
for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ "${#missing[@]}" -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "These packages are missing; install them as root: ${missing[*]}" >&2
        exit 6
    }
    as_root=(sudo)
fi
echo "installing: ${missing[*]}"
# nginx is wanted as a program; Debian's package would also start it as a service on port 80.
if [[ " ${missing[*]} " == *" nginx"* && ! -e /etc/systemd/system/nginx.service ]]; then
    "${as_root[@]}" mkdir -p /etc/systemd/system
    "${as_root[@]}" ln -s /dev/null /etc/systemd/system/nginx.service
    echo "(nginx.service is masked, so that nothing listens on port 80: systemctl unmask nginx to use it as a service)"
fi
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null

# Sourced by examples/demo.sh and tests/run.sh: what must be on the machine, said before it is installed.
# shellcheck shell=bash

# need_apt PACKAGE… : installs the Debian packages that are missing, after saying which.
need_apt() {
  local missing=() package sudo=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  echo "installing Debian packages: ${missing[*]}"
  "${sudo[@]}" apt-get update -qq
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# need_tools : cargo and Node are not Debian's here, so they are asked for, not installed.
need_tools() {
  command -v cargo >/dev/null || { echo "cargo is missing: install Rust with rustup (https://rustup.rs) and try again" >&2; exit 2; }
  local node
  node=$(node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/') || true
  [ "${node:-0}" -ge 20 ] || { echo "Node 20 or newer is missing (node --version says: ${node:-nothing}); install it and try again" >&2; exit 2; }
}

# What building needs: a C compiler for SQLCipher and the crypto library, OpenSSL's headers for SQLCipher.
BUILD_PACKAGES=(build-essential pkg-config libssl-dev)

#!/usr/bin/env bash
# Builds target/debian/bluebean_*.deb. `--profile dev` takes the quick build instead of the release one.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/prerequisites.sh

profile=release
if [ "${1:-}" = --profile ]; then profile=$2; fi
built=target/$profile
if [ "$profile" = dev ]; then built=target/debug; fi

need_tools
need_apt "${BUILD_PACKAGES[@]}"
cargo_deb=target/tools/bin/cargo-deb
if [ ! -x "$cargo_deb" ]; then
  echo "installing cargo-deb into target/tools (some minutes, once)"
  cargo install --locked --quiet --root target/tools --version "^3" cargo-deb
fi

echo "building bbd and bbctl ($profile)"
cargo build --locked --quiet --profile "$profile" --bins
mkdir -p target/completions
for shell in bash zsh fish; do
  "$built/bbctl" completions "$shell" >"target/completions/bbctl.$shell"
done
# One package at a time, so that whoever tests takes this one.
rm -f target/debian/bluebean_*.deb
"$cargo_deb" deb --no-build --quiet --profile "$profile"
ls -l target/debian/bluebean_*.deb

#!/usr/bin/env bash
# Installs what the tests need (after saying so) and runs all of them. Quick the second time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/prerequisites.sh

step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

need_tools
step "packages"
need_apt "${BUILD_PACKAGES[@]}" age chromium curl debootstrap fonts-noto-cjk mandoc sip-tester tcpdump

step "browser application: types, lint, unit tests"
(cd src/ui && npm ci --ignore-scripts --silent && npm run --silent check && npm run --silent lint && npm test --silent)
(cd tests/browser && npm ci --ignore-scripts --silent)

step "format and lints"
cargo fmt --check
cargo clippy --locked --quiet --all-targets -- -D warnings

step "manual pages"
mandoc -Tlint -W warning man/bbd.8 man/bbctl.1 man/bbd.toml.5

step "tests"
cargo test --locked --quiet

step "demo"
examples/demo.sh --once

step "package"
packaging/build-deb.sh
packaging/test-deb.sh

step "benchmark (printed, not asserted)"
tests/bench/run.sh --short

step "done"

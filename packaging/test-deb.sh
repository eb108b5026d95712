#!/usr/bin/env bash
# Installs a package into a fresh Debian 12, checks it, removes and purges it, and says what remains.
# Usage: packaging/test-deb.sh [DEB]; without DEB the one in target/debian. Needs root (or sudo).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/prerequisites.sh

deb=${1:-$(ls target/debian/bluebean_*.deb)}
[ -f "$deb" ] || { echo "there is no package $deb; run packaging/build-deb.sh" >&2; exit 2; }
need_apt debootstrap systemd
root=()
[ "$(id -u)" -eq 0 ] || root=(sudo)

suite=bookworm
work=target/deb-test
base=$work/$suite.tar
mkdir -p "$work"
inside=$(mktemp -d)
trap '"${root[@]}" rm -rf "$inside"' EXIT
"${root[@]}" chmod 755 "$inside"

# The mirrors that this machine's own apt uses.
sources() {
  apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
    awk -v s="$suite" '($2 == s || $2 == s "-updates" || $2 == s "-security") && $3 == "main" { print $1, $2 }' | sort -u
}
# run COMMAND… : inside, as root, with nothing of this shell's environment.
run() { "${root[@]}" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 chroot "$inside" "$@"; }
check() { echo "ok  $1"; }
fail() { echo "FAILED  $1" >&2; exit 1; }

if [ ! -f "$base" ]; then
  mirror=$(sources | awk -v s="$suite" '$2 == s { print $1; exit }')
  [ -n "$mirror" ] || { echo "apt on this machine has no mirror of Debian $suite" >&2; exit 2; }
  echo "making a minimal Debian $suite from $mirror (once)"
  "${root[@]}" debootstrap --variant=minbase --include=ca-certificates,libssl3,systemd "$suite" "$inside" "$mirror" >"$work/debootstrap.log" 2>&1 ||
    { tail -n 20 "$work/debootstrap.log" >&2; exit 1; }
  sources | while read -r uri release; do echo "deb $uri $release main"; done | "${root[@]}" tee "$inside/etc/apt/sources.list" >/dev/null
  # No service starts in here; minimal images leave out man pages, which are checked below.
  printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$inside/usr/sbin/policy-rc.d" >/dev/null
  "${root[@]}" chmod 755 "$inside/usr/sbin/policy-rc.d"
  run apt-get update -qq
  run apt-get install -y -qq --no-install-recommends adduser init-system-helpers >/dev/null
  "${root[@]}" tar -C "$inside" -cf "$base" .
else
  "${root[@]}" tar -C "$inside" -xf "$base"
fi

everything() { (cd "$inside" && "${root[@]}" find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp -o -path ./var/lib/dpkg -o -path ./var/cache -o -path ./var/lib/apt -o -path ./var/log \) -prune -o -print | sort); }
everything >"$work/before"

echo "== install"
"${root[@]}" cp "$deb" "$inside/tmp/bluebean.deb"
run apt-get install -y -qq --no-install-recommends /tmp/bluebean.deb >"$work/install.log" 2>&1 || { cat "$work/install.log" >&2; fail "installation"; }
check "installed $(run dpkg-query -W -f='${Package} ${Version}, ${Installed-Size} kB' bluebean)"
run bbd --version
run bbctl --version
for page in man1/bbctl.1 man5/bbd.toml.5 man8/bbd.8; do
  [ -f "$inside/usr/share/man/$page.gz" ] || fail "manual page $page is missing"
done
check "manual pages"
for file in bash-completion/completions/bbctl zsh/vendor-completions/_bbctl fish/vendor_completions.d/bbctl.fish; do
  [ -s "$inside/usr/share/$file" ] || fail "completion $file is missing"
done
check "completions for bash, zsh and fish"
run getent passwd bluebean >/dev/null || fail "there is no user bluebean"
check "user bluebean"
[ "$(run stat -c '%a %U:%G' /etc/bluebean/bbd.toml)" = "640 root:bluebean" ] || fail "mode of bbd.toml: $(run stat -c '%a %U:%G' /etc/bluebean/bbd.toml)"
[ "$(run stat -c '%a %U:%G %s' /etc/bluebean/master.key)" = "400 root:root 32" ] || fail "mode of master.key"
check "configuration 0640, master key 0400"
run bbd --check || fail "bbd --check on the packaged configuration"
check "bbd --check on the packaged configuration"
run setpriv --reuid=bluebean --regid=bluebean --clear-groups bbd --check || fail "the daemon's user can't read its configuration"
unit=$(cd "$inside" && ls lib/systemd/system/bbd.service usr/lib/systemd/system/bbd.service 2>/dev/null | head -n 1)
said=$(run systemd-analyze verify --man=no "/$unit" 2>&1) || fail "systemd-analyze verify: $said"
[ -z "$said" ] || echo "    $said"
check "unit verified: $(run systemd-analyze security --offline=yes --no-pager "/$unit" 2>/dev/null | tail -n 1)"

echo "== a start by hand, as the unit's user"
"${root[@]}" install -d -m 700 "$inside/tmp/data"
run sh -c 'printf "[web]\nlisten=[\"127.0.0.1:0\"]\n[sip]\nudp=[\"127.0.0.1:0\"]\ntcp=[\"127.0.0.1:0\"]\n[media]\nbrowser=\"127.0.0.1:0\"\nbrowser_candidates=[\"127.0.0.1\"]\n" >/tmp/bbd.toml && chown bluebean /tmp/data'
run setpriv --reuid=bluebean --regid=bluebean --clear-groups bbd --config /tmp/bbd.toml --data-dir /tmp/data --socket /tmp/data/bbd.sock >"$work/bbd.log" 2>&1 &
started=$!
up=
for _ in $(seq 100); do
  run bbctl --socket /tmp/data/bbd.sock status >"$work/status" 2>/dev/null && { up=1; break; }
  sleep 0.1
done
[ -n "$up" ] || { cat "$work/bbd.log" >&2; fail "bbd did not start"; }
head -n 2 "$work/status"
pid=$(awk '$1 == "PID" { print $2 }' "$work/status")
"${root[@]}" kill "$pid"
wait "$started" || fail "bbd did not stop cleanly"
check "started, answered bbctl, stopped"

echo "== remove and purge"
run apt-get remove -y -qq bluebean >"$work/remove.log" 2>&1 || { cat "$work/remove.log" >&2; fail "removal"; }
[ ! -e "$inside/usr/bin/bbd" ] || fail "bbd is still there after removal"
[ -e "$inside/etc/bluebean/bbd.toml" ] && [ -e "$inside/etc/bluebean/master.key" ] || fail "removal took configuration or key"
check "removed; configuration and master key kept"
run apt-get purge -y -qq bluebean >"$work/purge.log" 2>&1 || { cat "$work/purge.log" >&2; fail "purge"; }
[ ! -e "$inside/etc/bluebean" ] || fail "purge left /etc/bluebean"
everything >"$work/after"
echo "what remains after purge (besides packages that came along):"
comm -13 "$work/before" "$work/after" | grep -i -E 'bluebean|bbd|bbctl' | sed 's/^/    /' || echo "    no file"
run getent passwd bluebean | sed 's/^/    user: /'
echo "package: ok"

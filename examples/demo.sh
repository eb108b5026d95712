#!/usr/bin/env bash
# A working call centre in one command: builds, starts bbd, provisions it with bbctl, places a real
# telephone call that a desk phone answers, and shows its sealed recording. Then it keeps running, with a
# customer always waiting for whoever logs in.
#   --once    stop when the call is proven
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/prerequisites.sh

once=no
case "${1:-}" in
  --once) once=yes ;;
  "") ;;
  *) echo "usage: examples/demo.sh [--once]" >&2; exit 2 ;;
esac

need_tools
need_apt "${BUILD_PACKAGES[@]}" sip-tester
echo "building bbd and bbctl (some minutes the first time)"
cargo build --release --locked --quiet

demo=$PWD/target/demo
rm -rf "$demo"
mkdir -p "$demo/caller" "$demo/phone"
bin=$PWD/target/release
export BBCTL_SOCKET=$demo/bbd.sock BBCTL_TENANT=demo
port=8443
[ "$once" = no ] || port=0

cat >"$demo/bbd.toml" <<TOML
[web]
listen = ["127.0.0.1:$port"]
[sip]
udp = ["127.0.0.1:0"]
tcp = ["127.0.0.1:0"]
[media]
browser = "127.0.0.1:$port"
TOML

pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
}
trap finish EXIT
trap 'exit 130' INT TERM

"$bin/bbd" --config "$demo/bbd.toml" --data-dir "$demo/data" --socket "$BBCTL_SOCKET" >"$demo/bbd.log" 2>&1 &
pids+=($!)
bbctl() { "$bin/bbctl" "$@"; }
for _ in $(seq 100); do
  bbctl status >/dev/null 2>&1 && break
  kill -0 "${pids[0]}" 2>/dev/null || { cat "$demo/bbd.log" >&2; exit 1; }
  sleep 0.1
done
address() { node -p 'const a = JSON.parse(require("fs").readFileSync(process.argv[1]))[process.argv[2]]; [].concat(a)[0]' "$demo/data/bound.json" "$1"; }

echo "provisioning with bbctl"
# Letters, digits and a symbol, so that the password rule is met.
password() { node -p '"Demo-" + require("crypto").randomBytes(6).toString("hex") + "-9a"'; }
operator_password=$(password)
supervisor_password=$(password)
node examples/audio.mjs prompt "$demo/welcome.wav"
node examples/audio.mjs tone 440 "$demo/caller/tone.ulaw"
node examples/audio.mjs tone 1000 "$demo/phone/tone.ulaw"
phone_port=$(node -e 'const s = require("dgram").createSocket("udp4"); s.bind(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
bbctl tenant create demo --name "デモ商店"
bbctl campaign create "通販サポート" --topic "配送" --topic "請求" --topic "その他" --disposition "完了" --disposition "再架電" --disposition "エスカレ"
bbctl customer import examples/demo/customers.csv --campaign "通販サポート"
bbctl queue create "代表受付" --campaign "通販サポート" --ring-seconds 20 --wrap-up-seconds 0
bbctl prompt add welcome "$demo/welcome.wav"
bbctl flow apply examples/demo/main.toml
bbctl trunk add carrier --source 127.0.0.0/8
bbctl number add +81355550100 --trunk carrier --flow main
printf %s "$operator_password" | bbctl account create nakamura --role operator --name "中村 恵" --campaign "通販サポート" --password-stdin
printf %s "$supervisor_password" | bbctl account create sato --role supervisor --name "佐藤 誠" --campaign "通販サポート" --password-stdin
printf %s "$(password)" | bbctl account create phone --role operator --name "卓上電話" --campaign "通販サポート" --sip-contact "sip:phone@127.0.0.1:$phone_port" --password-stdin
bbctl queue set "代表受付" --add-member nakamura --add-member phone

# call NAME MILLISECONDS : a customer calls, speaks at 440 Hz, hangs up.
call() {
  (cd "$demo/caller" && exec sipp -sf "$OLDPWD/examples/sipp/caller.xml" -i 127.0.0.1 -mi 127.0.0.1 -m 1 -d "$2" -s +81355550100 -key caller "$1" \
    -nostdin -timeout 200 "$(address sip_udp)" >>"$demo/caller.log" 2>&1)
}

echo "placing a call: customer at 440 Hz, operator at 1000 Hz"
(cd "$demo/phone" && exec sipp -sf "$OLDPWD/examples/sipp/operator.xml" -i 127.0.0.1 -mi 127.0.0.1 -p "$phone_port" -m 1 -nostdin -timeout 60 >"$demo/phone.log" 2>&1) &
pids+=($!)
call 0355550142 6000 || { echo "the call failed; see $demo/caller.log and $demo/bbd.log" >&2; exit 1; }
bbctl call list
recording=$(bbctl recording list -o ids | head -n 1)
[ -n "$recording" ] || { echo "the call left no recording; see $demo/bbd.log" >&2; exit 1; }
for _ in $(seq 50); do
  bbctl recording show "$recording" -o json | grep -q '"state": *"sealed"' && break
  sleep 0.1
done
bbctl recording show "$recording"
bbctl recording export "$recording" --to "$demo/recording.wav"
read -r seconds left right < <(node examples/audio.mjs measure "$demo/recording.wav")
rm -f "$demo/recording.wav"
proof="recording $recording, $seconds s, left $left Hz, right $right Hz"
near() { [ "$1" -ge $(($2 - 5)) ] && [ "$1" -le $(($2 + 5)) ]; }
if ! near "$left" 440 || ! near "$right" 1000; then
  echo "demo: failed, $proof"
  exit 1
fi
if [ "$once" = yes ]; then
  finish
  trap - EXIT
  echo "demo: ok, $proof"
  exit 0
fi
echo "demo: ok, $proof"
bbctl queue set "代表受付" --remove-member phone >/dev/null
cat <<TEXT

The call centre is running.
  URL         https://$(address https)/   (self-signed: the browser asks once)
  tenant      demo
  operator    nakamura   $operator_password
  supervisor  sato       $supervisor_password
Log in, press 受付可 (available), and the customer who waits in the queue rings at your browser.
In another terminal: export BBCTL_SOCKET=$BBCTL_SOCKET BBCTL_TENANT=demo; target/release/bbctl status
Ctrl+C stops it.
TEXT
# A customer always waits: whoever logs in has somebody to talk to.
while kill -0 "${pids[0]}" 2>/dev/null; do
  call 0355550142 120000 || sleep 2
done

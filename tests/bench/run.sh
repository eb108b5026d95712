#!/usr/bin/env bash
# Measures a release build of bbd under sipload (beside this file) on loopback: CPU per bridged call-second plain and
# recorded, CPU per queued call set up, memory. Prints, asserts nothing.
#   --short      one run of each, 8 seconds (for tests/run.sh)
#   --calls N    concurrent calls of the steady runs (100)
#   --profile    top entries of `perf record` over the recorded run
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. packaging/prerequisites.sh
need_tools
need_apt "${BUILD_PACKAGES[@]}"

runs=3 seconds=15 calls=100 profile=no
while [ $# -gt 0 ]; do
  case $1 in
    --short) runs=1 seconds=8 ;;
    --calls) calls=$2; shift ;;
    --profile) profile=yes ;;
    *) echo "usage: tests/bench/run.sh [--short] [--calls N] [--profile]" >&2; exit 2 ;;
  esac
  shift
done

cargo build --release --locked --quiet
bench=$PWD/target/bench
rm -rf "$bench"
mkdir -p "$bench"
cc -O2 -w -o "$bench/sipload" tests/bench/sipload.c -lm
cc -O2 -w -o "$bench/floor" tests/bench/floor.c
bin=$PWD/target/release
export BBCTL_SOCKET=$bench/bbd.sock BBCTL_TENANT=bench
cat >"$bench/bbd.toml" <<TOML
[web]
listen = ["127.0.0.1:0"]
[sip]
udp = ["127.0.0.2:0"]
tcp = []
[media]
browser = "127.0.0.1:0"
[limits]
invites_per_second = 2000
[log]
level = "warn"
TOML
"$bin/bbd" --config "$bench/bbd.toml" --data-dir "$bench/data" --socket "$BBCTL_SOCKET" >"$bench/bbd.log" 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null; wait 2>/dev/null' EXIT
bbctl() { "$bin/bbctl" "$@" >/dev/null; }
for _ in $(seq 100); do bbctl status 2>/dev/null && break; sleep 0.1; done

bbctl tenant create bench
bbctl campaign create bench
bbctl trunk add load --source 127.0.0.1/32
operators=$((calls * 2))
for kind in plain recorded; do
  recorded=yes
  [ $kind = recorded ] || recorded=no
  bbctl queue create $kind --campaign bench --ring-seconds 20 --wrap-up-seconds 0 --recorded $recorded
  printf 'start = "wait"\n[step.wait]\ntype = "queue"\nqueue = "%s"\n' $kind >"$bench/$kind.toml"
  bbctl flow apply "$bench/$kind.toml"
done
bbctl number add 9010 --trunk load --flow plain
bbctl number add 9011 --trunk load --flow recorded
members=()
for n in $(seq "$operators"); do
  printf 'Bench-Horse7' | bbctl account create "q$n" --role operator --campaign bench --sip-contact "sip:q$n@127.0.0.3:5070" --password-stdin
  members+=(--add-member "q$n")
done
bbctl queue set plain "${members[@]}"
bbctl queue set recorded "${members[@]}"

target=$(node -p '[].concat(JSON.parse(require("fs").readFileSync(process.argv[1])).sip_udp)[0]' "$bench/data/bound.json")
load() { "$bench/sipload" -t "$target" -P $pid "$@"; }
show() { # LABEL FILE FIELD…
  node -e '
    const [label, file, ...fields] = process.argv.slice(1);
    const j = JSON.parse(require("fs").readFileSync(file));
    const value = (f) => f.split(".").reduce((o, k) => o?.[k], j);
    console.log(label.padEnd(34), fields.map((f) => `${f}=${value(f)}`).join("  "));
  ' "$@"
}
rss=$(awk '/VmRSS/ {print $2}' /proc/$pid/status)
printf 'resident, idle, %s operators: %s MB\n' "$operators" "$((rss / 1024))"

for run in $(seq $runs); do
  for kind in plain recorded; do
    user=9010
    [ $kind = plain ] || user=9011
    out=$bench/$kind-$run.json
    if [ $profile = yes ] && [ $kind = recorded ] && [ "$run" = 1 ] && command -v perf >/dev/null; then
      (sleep 8; perf record -q -F 499 -g -p $pid -o "$bench/perf.data" -- sleep 6) &
    fi
    load -n "$calls" -s 25 -w 3 -m "$seconds" -u $user -L "$kind" -o "$out"
    show "$calls calls, $kind, run $run" "$out" up_end failed dut_cpu_ms_per_call_s rtp_loss_pct rtp_opaque_agent rtp_crossed \
      latency_caller_to_agent.p50_ms latency_caller_to_agent.p99_ms dut_rss_kb_per_call
  done
  out=$bench/setup-$run.json
  load -n 400 -s 30 -H 1000 -w 3 -m "$seconds" -u 9010 -M 0 -L setup -o "$out"
  show "30 queued calls a second, run $run" "$out" win_answered_per_s failed dut_cpu_ms_per_setup setup_invite_to_200.p50_ms setup_invite_to_200.p99_ms
done
if [ -s "$bench/perf.data" ]; then
  echo "top entries of the recorded run:"
  perf report -i "$bench/perf.data" --no-children --stdio -g none 2>/dev/null | grep -v '^#' | grep -v '^$' | head -15
fi

#!/usr/bin/env bash
# Puts the detectors of this folder, and the built-in one behind pipes, to every case. Needs Python and Go.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --bin stuckvm --example protocol_detector
go build -o target/go-detector examples/go/main.go

check() {
    printf '\n$ stuckvm check --exec %q\n' "$1"
    target/release/stuckvm check --exec "$@" | tail -n 4
}

check target/release/examples/protocol_detector
check target/go-detector
check 'python3 examples/python/detector.py'

# It must fail, as its README says.
if target/release/stuckvm check pvc-not-found/stuck --exec 'python3 -B examples/wrong/detector.py' >target/wrong.txt; then
    echo "examples/wrong passes" >&2
    exit 1
fi
sed -n '/^fail/,/^```/p' examples/wrong/README.md | sed '$d' >target/wrong-expected.txt
sed '/^$/,$d' target/wrong.txt | diff target/wrong-expected.txt -
printf '\nexamples/wrong fails, as its README says\n'

#!/usr/bin/env bash
# Takes rules out of the simulator, one at a time, and prints which vector notices each, as a table in Markdown.
#
#   sim/tests/removals/run.sh sim/tests/removals/kubevirt [GLOB] > table.md
#
# Every patch of the folder, or those whose name fits, is applied to the last commit in a worktree below `target/`. Before the
# difference a patch says `rule:` (what is taken out) and `suite:` (which tests are run), and where the vectors have
# nothing to say `test:`, a test file of our own. Exits 1 if a removal goes unnoticed or a patch fits no longer. In a suite
# with a floor, the case that is named may be one that disagrees without the patch too.
set -euo pipefail

[ -d "${1:-}" ] || { echo "usage: $0 FOLDER [GLOB]" >&2; exit 2; }
patches=$(cd "$1" && pwd)
shift
cd "$(dirname "$0")/../../.."
build=$PWD/target/removals
tree=$build/tree
log=$build/log
export CARGO_TARGET_DIR=$build/target CARGO_PROFILE_DEV_DEBUG=false STUCKVM_VECTORS=
commit=$(git rev-parse HEAD)
git worktree prune
[ -d "$tree" ] || git worktree add --quiet --detach "$tree" "$commit"
git -C "$tree" reset --quiet --hard "$commit"

field() { sed -n "/^diff /q;s/^$1: *//p" "$2"; }

# The first case that disagrees, with its suite; of our own tests the first that fails.
first_failure() {
    awk '/ --- FAILED$/ && $1 !~ /^vectors\// { print $1; exit }
         /^[a-z-]+(\/[a-z-]+)? [0-9]+\/[0-9]+$/ { suite = $1; next }
         /^  [^ ]/ && suite != "" { print suite ": " $1; exit }
         { suite = "" }' "$log"
}

run() {
    git -C "$tree" apply "$1" 2> "$log" || { echo "does not apply any more"; return 1; }
    test=$(field test "$1")
    status=0
    # Each patch needs a build, and few need the speed of an optimised one. Without some rules a play never ends.
    (cd "$tree" && timeout 600 cargo test --quiet --config profile.dev.package.stuckvm-sim.opt-level=0 -p stuckvm-sim \
        --test "${test:-vectors}" -- "$(field suite "$1")" --nocapture) > "$log" 2>&1 || status=$?
    git -C "$tree" reset --quiet --hard
    [ "$status" -ne 0 ] || { echo "**nothing**"; return 1; }
    failure=$(first_failure)
    [ -n "$failure" ] || { echo "no answer (exit $status): $(grep -m 1 error "$log")"; return 1; }
    echo "\`${test:+$test }$failure\`"
}

failed=0
printf '| taken out | noticed by |\n| --- | --- |\n'
for patch in "$patches"/${1:-*}.patch; do
    noticed=$(run "$patch") || failed=1
    printf '| %s | %s |\n' "$(field rule "$patch")" "$noticed"
done
exit $failed

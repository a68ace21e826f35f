# Short names, one plain command each. `just fmt lint test doc` is what a change must pass.

# Lists the recipes.
default:
    @just --list

# Whether everything compiles.
check:
    cargo check --workspace --all-targets

# Formats the code.
fmt:
    cargo fmt --all

# Clippy; a warning is an error.
lint:
    cargo clippy --workspace --all-targets -- -D warnings

# Every test.
test:
    cargo test --workspace
    cargo test -p stuckvm-scenarios --features tokio --test paused_clock

# Detectors with one slip each, and how many cases catch them.
kill-matrix *ARGS:
    cargo run --release -p stuckvm-scenarios --example kill_matrix -- {{ARGS}}

# Changes the detector's code here and there, and lists the changes that no test of it notices.
mutants *ARGS:
    cargo mutants {{ARGS}}

# The same for the lines that differ from the last commit, or from BASE.
mutants-changed BASE="HEAD^":
    STUCKVM_BASE={{quote(BASE)}} .ci/mutants

# The catalog alone, a test a scenario.
scenarios:
    cargo test scenarios

# The answers of the real code alone, a line a suite.
vectors:
    cargo test -p stuckvm-sim -p stuckvm-scenarios --test vectors -- --nocapture

# When rules of Prometheus fire, by its own answers; it must be installed.
rule-vectors:
    cargo test -p stuckvm-scenarios --test vectors -- --nocapture

# Takes each rule away in turn, or those of these subjects (`Volumes,Scores`); docs/removals.md then says what fails.
removals SUBJECTS="":
    STUCKVM_SUBJECTS="{{SUBJECTS}}" cargo test -p stuckvm-sim --test removals -- --ignored --nocapture

# The documentation of every crate.
doc:
    cargo doc --workspace --no-deps

# The benchmarks.
bench:
    cargo bench -p stuckvm-benches

# Plays the catalog, or the scenarios of these names.
run *NAMES:
    cargo run --release -- run {{NAMES}}

# The crates as others get them: packaged, and used by a crate outside of the workspace.
package:
    cargo test -p stuckvm-scenarios --test packaging -- --include-ignored

# A JUnit report, put to its schema by xmllint (Debian: libxml2-utils).
junit FILE="target/junit.xml":
    cargo run --release -- run --catalog scenarios/must-fail --junit {{FILE}} || test $? -eq 1
    xmllint --noout --schema scenarios/tests/junit.xsd {{FILE}}

# Puts the examples in Python, Go and Rust to every case.
examples:
    examples/check.sh

# Puts a program to every case, or to those of these names.
check-exec CMD *NAMES:
    cargo run --release -- check --exec {{quote(CMD)}} {{NAMES}}

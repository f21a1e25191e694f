# What .ci/run and .ci/long share; to be sourced from the workspace's root.

host=x86_64-unknown-linux-gnu
steps=()

# step NAME COMMAND...: runs a command or function, says how long it took.
step() {
    local name=$1 began=$SECONDS
    shift
    printf '\n=== %s\n' "$name"
    "$@"
    steps+=("$(printf '%5d s  %s' $((SECONDS - began)) "$name")")
    printf -- '--- %s: %d s\n' "$name" $((SECONDS - began))
}

# say COMMAND...: prints a command, then runs it.
say() {
    printf '+ %s\n' "$*"
    "$@"
}

# fails_with PATTERN COMMAND...: the command must fail and say PATTERN.
fails_with() {
    local pattern=$1 output
    shift
    printf '+ %s   (has to fail)\n' "$*"
    if output=$("$@" 2>&1); then
        echo "this was to fail and did not: $*" >&2
        return 1
    fi
    if ! grep -q "$pattern" <<<"$output"; then
        printf '%s\n' "$output" >&2
        echo "it failed without saying \"$pattern\"" >&2
        return 1
    fi
}

summary() {
    printf '\n=== all passed in %d s\n' "$SECONDS"
    printf '%s\n' "${steps[@]}"
}

# install COMMAND=PACKAGE...: installs what is absent.
install() {
    local pair absent=()
    for pair in "$@"; do
        command -v "${pair%%=*}" >/dev/null || absent+=("${pair#*=}")
    done
    if ((${#absent[@]})); then
        say apt-get update -qq
        say env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "${absent[@]}"
    fi
}

# A build for each sanitizer, in a folder of its own. `--target` keeps build
# scripts and procedural macros clean; std stays as it was shipped.
with_asan() {
    say env RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=target/asan \
        RUSTFLAGS="-Zsanitizer=address" \
        ASAN_OPTIONS=detect_stack_use_after_return=1 "$@"
}

# Without backtraces, and run with --nocapture: std keeps what it reads for the
# one and what it captures for the other under locks that ThreadSanitizer does
# not see.
with_tsan() {
    say env RUST_BACKTRACE=0 RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=target/tsan \
        RUSTFLAGS="-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer --cfg tsan --cfg crossbeam_sanitize" \
        TSAN_OPTIONS="suppressions=$PWD/.ci/tsan.supp exitcode=66" "$@"
}

asan_finds_what_was_planted() {
    with_asan cargo build --target "$host" -p polyloop-tests --bin planted
    local planted=target/asan/$host/debug/planted
    fails_with "heap-use-after-free" "$planted" use-after-free
    fails_with "detected memory leaks" "$planted" leak
}

tsan_finds_what_was_planted() {
    with_tsan cargo build --target "$host" -p polyloop-tests --bin planted
    fails_with "data race" env \
        TSAN_OPTIONS="suppressions=$PWD/.ci/tsan.supp exitcode=66" \
        "target/tsan/$host/debug/planted" race
}

# The integration tests that ThreadSanitizer runs, as cargo's arguments: the
# promises, the traps and what is the bridge's. Not these two:
# - bridge_adapters: rayon's threads and tracing's registry hand over under std's
#   locks, whose slow paths the sanitizer does not see; it reports them whenever
#   two threads happen to meet there.
# - traps_no_threads: its processes may start no more threads, so the sanitizer
#   could not start its symbolizer, and without names it has no use for its list.
tsan_tests() {
    local file name
    for file in tests/tests/{promises,traps,bridge}*.rs; do
        name=$(basename "$file" .rs)
        case $name in
        bridge_adapters | traps_no_threads) ;;
        *) printf -- '--test %s ' "$name" ;;
        esac
    done
}

# loom_models PREEMPTIONS: the real types under the model checker.
loom_models() {
    local crate
    for crate in polyloop polyloop-bridge; do
        say env RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom \
            LOOM_MAX_PREEMPTIONS="$1" LOOM_MAX_BRANCHES=10000 \
            cargo test --release -p "$crate" --lib loom_
    done
}

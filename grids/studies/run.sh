#!/bin/sh
# Run both studies, seed by seed, so that an interruption leaves whole seeds. The same command resumes, and several of
# them on one store share the work: give each an output folder of its own.
#
#   grids/studies/run.sh CORPORA STORE OUT [options of run-grid, such as --executor inline]
set -eu
cd "$(dirname "$0")/../.."
corpora=$1 store=$2 out=$3
shift 3

run() { # a grid and its options; a failed job (exit 1) is named by the report and does not end the study
    grid=$1
    shift
    transfer run-grid "grids/studies/$grid.yaml" --corpora "$corpora" --store "$store" --out "$out" "$@" || [ $? -eq 1 ]
}

run atlas --set jobs='[single]' --set seeds=3 --set single_seeds=1x --set controls='[]' "$@"
for seeds in 1 2; do
    run atlas --set seeds=$seeds --set single_seeds=1x "$@"
done
run figure2_right_stages "$@" # before figure2_right: its encoders are needed for stage 3
for seeds in 1 2 3 4; do
    run figure2_right --set seeds=$seeds --set single_seeds=1x "$@"
done
run atlas "$@"
run figure2_right "$@"

#!/usr/bin/env bash
# Checks the recipes of this folder: the manifest against the schema of Kubernetes' API, the unit with systemd's own reader, the script
# with bash; and that each of these checks finds a wrong word. Where a program is named, every recipe's command is given to it with
# --dry-run.
#
#   examples/batch/check.sh [PROGRAM]
#
# It needs Python with venv and pip; its environment is target/batch-venv. What is checked by a program that is not here is said.
# benches/slurm.sh runs the script on a real Slurm.
set -euo pipefail
[ $# -le 1 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
program=
if [ $# -eq 1 ]; then
    program=$(realpath "$1")
    [ -x "$program" ] || { echo "$program must be a program." >&2; exit 2; }
fi
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)
venv=${CARGO_TARGET_DIR:-$root/target}/batch-venv
export PIP_DISABLE_PIP_VERSION_CHECK=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() { echo "$1" >&2; exit 1; }
good() { printf '%-22s %s\n' "$1" "$2"; }

# The oldest Kubernetes that has all of the manifest for good, and the newest one that the package knows.
validates() {
    "$venv/bin/kubernetes-validate" --strict --quiet -k 1.33 "$1" && "$venv/bin/kubernetes-validate" --strict --quiet "$1"
}
kubernetes() {
    [ -x "$venv/bin/pip" ] || python3 -m venv "$venv" || fail "Python makes no environment; on Debian: apt install python3-venv"
    "$venv/bin/pip" install --quiet 'kubernetes-validate>=1.33' || fail "pip cannot install kubernetes-validate."
    validates job.yaml || fail "job.yaml is not what Kubernetes takes."
    local wrong
    for wrong in 's/completionMode/completionsMode/' 's/completions: 8/completions: eight/' 's/backoffLimitPerIndex: 2/backoffLimitPerIndex: [2]/'; do
        sed "$wrong" job.yaml > "$work/job.yaml"
        ! cmp -s job.yaml "$work/job.yaml" || fail "There is nothing in job.yaml for $wrong"
        ! validates "$work/job.yaml" > /dev/null 2>&1 || fail "Nobody minds $wrong in job.yaml"
    done
    good job.yaml "is what Kubernetes takes, and 3 mistakes in it are found"
}

# systemd says what it does not know, and goes on: any word of it is a mistake. The program need not be here.
silent() {
    local said
    said=$(sed 's|^ExecStart=[^ ]*|ExecStart=/bin/true|' "$1" > "$work/impasto-batch.service" \
        && systemd-analyze verify "$work/impasto-batch.service" 2>&1) && [ -z "$said" ] || { echo "$said" >&2; return 1; }
}
systemd() {
    command -v systemd-analyze > /dev/null || { good impasto-batch.service "is not checked: there is no systemd-analyze"; return; }
    silent impasto-batch.service || fail "impasto-batch.service is not what systemd takes."
    local wrong
    for wrong in 's/MemoryMax/MemoryMost/' 's/KillMode=mixed/KillMode=some/'; do
        sed "$wrong" impasto-batch.service > "$work/wrong.service"
        ! silent "$work/wrong.service" 2> /dev/null || fail "Nobody minds $wrong in impasto-batch.service"
    done
    good impasto-batch.service "is what systemd takes, and 2 mistakes in it are found"
}

slurm() {
    bash -n slurm.sbatch || fail "slurm.sbatch is no script."
    ! command -v shellcheck > /dev/null || shellcheck slurm.sbatch || fail "shellcheck is not content with slurm.sbatch."
    good slurm.sbatch "is a script"
}

# The words of a recipe's command, one a line, without the program.
words_of_job() {
    "$venv/bin/python" - <<'PYTHON'
import yaml

job = next(part for part in yaml.safe_load_all(open("job.yaml")) if part["kind"] == "Job")
container = job["spec"]["template"]["spec"]["containers"][0]
completions = job["spec"]["completions"]
shard = f"$(JOB_COMPLETION_INDEX)/{completions}"
if shard not in container["args"] or job["spec"]["parallelism"] > completions:
    raise SystemExit(f"job.yaml: {completions} completions need {shard}, and no more pods at once")
last = str(completions - 1)
print(*(word.replace("$(JOB_COMPLETION_INDEX)", last) for word in container["args"]), sep="\n")
PYTHON
}
words_of_unit() { sed -n 's/^ExecStart=[^ ]* //p' impasto-batch.service | tr ' ' '\n'; }

commands() {
    [ -n "$program" ] || return 0
    local recipe words
    mkdir -p "$work/paintings/photos" "$work/paintings/styles" "$work/bin" "$work/settings"
    cp "$root"/examples/content/rocket.jpg "$work/paintings/photos"
    cp "$root"/examples/style/night_cafe.webp "$work/paintings/styles"
    printf '#!/bin/sh\nexec "%s" "$@" --dry-run\n' "$program" > "$work/bin/impasto"
    chmod +x "$work/bin/impasto"
    export XDG_CONFIG_HOME=$work/settings PATH=$work/bin:$PATH
    for recipe in job unit; do
        mapfile -t words < <("words_of_$recipe")
        [ "${#words[@]}" -gt 4 ] || fail "The command of the $recipe is not found."
        (cd "$work/paintings" && impasto "${words[@]}") > "$work/said" 2>&1 || { cat "$work/said" >&2; fail "The command of the $recipe is refused."; }
    done
    local script=$PWD/slurm.sbatch
    (cd "$work/paintings" && SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_COUNT=4 SLURM_CPUS_PER_TASK=1 SLURM_MEM_PER_NODE=4096 bash "$script" --size 256) \
        > "$work/said" 2>&1 || { cat "$work/said" >&2; fail "The command of slurm.sbatch is refused."; }
    good "the three commands" "are understood by $(basename "$program")"
}

kubernetes
systemd
slurm
commands

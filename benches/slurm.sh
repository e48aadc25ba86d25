#!/usr/bin/env bash
# A batch on a real Slurm: slurmctld, slurmd and munged of this machine's packages, over loopback alone, in one temporary folder.
#
#   benches/slurm.sh [PROGRAM]
#
# PROGRAM is a build of impasto, target/release/impasto if none is named. examples/batch/slurm.sbatch is submitted as an array of 4 tasks
# over 12 small pictures: 3 photos in 4 styles. One task is killed with SIGKILL in the middle of a picture that has a checkpoint of more
# than its first iteration, and requeued. When Slurm has all tasks as COMPLETED, the log says which iterations were done twice, and the 12
# pictures are compared, every byte, with those of one `impasto batch` without Slurm. The exit code is 1 if a task failed, the killed
# picture began anew, or a byte differs.
#
#   ITERATIONS=300        of each picture, which must take more than the 10 seconds between two checkpoints
#   SIZE=64               longest side of each picture
#   KEEP=1                leaves the temporary folder, with Slurm's logs
#
# It needs bash and python3 without packages, on Linux. Where it is root on Debian or Ubuntu, it installs slurm-wlm and munge if they are not there. Nothing of an installed Slurm's own
# settings is used or changed.
set -euo pipefail
[ $# -le 1 ] || { sed -n '2,18s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cd "$(dirname "$0")/.."
program=$(realpath "${1:-target/release/impasto}")
[ -x "$program" ] || { echo "$program must be a program, such as \`make build\` makes." >&2; exit 2; }
PATH=$PATH:/usr/sbin:/sbin

missing() {
    local command
    for command in munged slurmctld slurmd sbatch scontrol squeue; do
        command -v "$command" > /dev/null || echo "$command"
    done
}
if [ -n "$(missing)" ] && [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
    echo "Installing slurm-wlm and munge."
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends slurm-wlm munge; } > /dev/null
fi
if [ -n "$(missing)" ]; then
    echo "There is no $(missing | paste -sd ' '), which Slurm and MUNGE have; on Debian: apt install slurm-wlm munge" >&2
    exit 1
fi

work=$(mktemp -d)
daemons=() job=''
# The tasks first, then the daemons, each by its number; with KILL what does not end.
finish() {
    local number
    if [ -n "$job" ]; then
        scancel --quiet --signal=KILL --full "$job" 2> /dev/null || true
        scancel --quiet "$job" 2> /dev/null || true
        for _ in $(seq 50); do [ -n "$(squeue -h -j "$job" 2> /dev/null)" ] || break; sleep 0.2; done
    fi
    for number in "${daemons[@]}"; do kill "$number" 2> /dev/null || true; done
    for number in $(pgrep -x slurmstepd || true); do
        ! tr '\0' '\n' 2> /dev/null < "/proc/$number/environ" | grep -qx "SLURM_CONF=$work/slurm.conf" || kill -KILL "$number" 2> /dev/null || true
    done
    for _ in $(seq 50); do
        [ -n "$(jobs -r)" ] || break
        sleep 0.2
    done
    for number in "${daemons[@]}"; do kill -KILL "$number" 2> /dev/null || true; done
    if [ -n "${KEEP:-}" ]; then echo "Everything is in $work"; else rm -rf "$work"; fi
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
    echo "$1" >&2
    tail -n 5 "$work"/log/* "$work"/run/*.txt >&2 2> /dev/null || true
    exit 1
}

# within SECONDS COMMAND...: waits until it succeeds; fails if that takes too long.
within() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$until" ] || fail "Waited in vain for: $*"
        sleep 0.2
    done
}

# A Slurm of one node with four processors, whatever the machine has, so that the four tasks run at once.
start_slurm() {
    local host port=$((20000 + $$ % 20000)) user
    host=$(hostname -s)
    user=$(id -un)
    mkdir "$work/log" "$work/state" "$work/spool"
    export SLURM_CONF=$work/slurm.conf
    cat > "$SLURM_CONF" <<CONF
ClusterName=impasto
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
NodeName=one NodeHostname=$host NodeAddr=127.0.0.1 CPUs=4 RealMemory=4000
PartitionName=all Nodes=one Default=YES
CONF
    # Later versions of Slurm look for control groups unless told not to.
    case $(sinfo --version) in
        "slurm-wlm 2"[0-2].* | "slurm 2"[0-2].*) ;;
        *) echo "CgroupPlugin=disabled" > "$work/cgroup.conf" ;;
    esac
    (umask 077 && head -c 1024 /dev/urandom > "$work/munge.key")
    munged --foreground --force --key-file="$work/munge.key" --socket="$work/munge.socket" --pid-file="$work/munge.pid" \
        --seed-file="$work/munge.seed" > "$work/log/munged" 2>&1 &
    daemons+=($!)
    within 20 test -S "$work/munge.socket"
    slurmctld -D -f "$SLURM_CONF" > "$work/log/slurmctld" 2>&1 &
    daemons+=($!)
    slurmd -D -f "$SLURM_CONF" -N one > "$work/log/slurmd" 2>&1 &
    daemons+=($!)
    within 60 idle
    echo "$(sinfo --version), node $(sinfo -h -o '%n, %c processors, %T')"
}
idle() { [ "$(sinfo -h -o %T 2> /dev/null)" = idle ]; }

# A folder with photos/ and styles/.
folder() {
    mkdir -p "$1/photos" "$1/styles"
    cp examples/content/{astronaut.png,chelsea.png,rocket.jpg} "$1/photos"
    cp examples/style/{cafe_terrace,church_at_auvers,langlois_bridge,night_cafe}.webp "$1/styles"
}

pictures() { find "$1" -maxdepth 1 -name '*.png' | wc -l; }
# The job that a task has at work: the claim whose process is of that task.
at_work() {
    local claim process
    for claim in "$work"/run/out/batch-state/claims/*.json; do
        process=$(sed -n 's/.*"process": *\([0-9]*\).*/\1/p' "$claim" 2> /dev/null) || continue
        if tr '\0' '\n' 2> /dev/null < "/proc/$process/environ" | grep -qx "SLURM_ARRAY_TASK_ID=$1"; then
            basename "$claim" .json
            return
        fi
    done
}
# Whether the job that a task has at work has got another checkpoint since it was first seen.
seen='' first=0
in_the_middle() {
    local now time
    is "$1" RUNNING || is "$1" PENDING || fail "Task $1 was over before it could be killed: give more ITERATIONS. Tasks: $(states)"
    now=$(at_work "$1")
    time=$(stat -c %Y "$work/run/out/batch-state/checkpoints/$now.run" 2> /dev/null) || return 1
    [ "$now" = "$seen" ] || seen=$now first=$time
    [ "$time" -gt $((first + 5)) ]
}
# The state of one task: PENDING, RUNNING, COMPLETED, FAILED...
state() { squeue --states=all -h -r -j "$job" -o '%K %T' | sed -n "s/^$1 //p"; }
is() { [ "$(state "$1")" = "$2" ]; }
states() { for task in 0 1 2 3; do echo -n "$task $(state "$task"), "; done | sed 's/, $//'; }
completed() {
    local task
    for task in 0 1 2 3; do
        case $(state "$task") in
            COMPLETED) ;;
            FAILED | CANCELLED | NODE_FAIL | OUT_OF_MEMORY | TIMEOUT) fail "Tasks: $(states)" ;;
            *) return 1 ;;
        esac
    done
}
say() { echo "$(printf '%3d s' $((SECONDS - start)))  $*"; }

options=(--size "${SIZE:-64}" --iterations "${ITERATIONS:-300}")
mkdir "$work/bin"
ln -s "$program" "$work/bin/impasto"
# Nobody's settings.
mkdir "$work/settings"
export PATH=$work/bin:$PATH XDG_CONFIG_HOME=$work/settings

folder "$work/alone"
start=$SECONDS
(cd "$work/alone" && impasto batch --content photos --style styles -o 'out/{content}-{style}.png' --quiet "${options[@]}")
say "$(pictures "$work/alone/out") pictures painted without Slurm"

start_slurm
folder "$work/run"
sbatch=$PWD/examples/batch/slurm.sbatch
start=$SECONDS
job=$(cd "$work/run" && sbatch --parsable --cpus-per-task=1 --mem=1G "$sbatch" "${options[@]}" --log log.jsonl)
say "submitted as job $job: $(states)"

victim=2
within 600 in_the_middle "$victim"
picture=$seen
say "$(pictures "$work/run/out") pictures: task $victim is killed while it paints $picture"
scancel --batch --signal=KILL "${job}_$victim"
within 60 is "$victim" FAILED
killed=$(date -u +%FT%T.%3NZ)
say "tasks: $(states)"
scontrol requeue "${job}_$victim"
# Slurm would leave it for two minutes.
scontrol update jobid="${job}_$victim" starttime=now
within 60 is "$victim" RUNNING
say "requeued: $(states)"
within 1200 completed
say "tasks: $(states); $(pictures "$work/run/out") pictures"

# How far the picture was that was at work, and where it went on, by the log.
python3 - "$work/run/log.jsonl" "$picture" "$killed" <<'LOG' || fail "$picture did not go on from its checkpoint."
import json, sys

file, job, killed = sys.argv[1:]
lines = [line for line in map(json.loads, open(file)) if line["job"] == job]
before = [line["iteration"] for line in lines if line["time"] <= killed]
after = [line["iteration"] for line in lines if line["time"] > killed]
print(f"{job} had come to iteration {before[-1]} when it was killed, and went on with iteration {after[0]} of {after[-1]}")
sys.exit(after[0] <= 2)
LOG
differing=0
for expected in "$work"/alone/out/*.png; do
    name=${expected##*/}
    if cmp -s "$expected" "$work/run/out/$name"; then verdict=same; else verdict=DIFFERENT differing=$((differing + 1)); fi
    printf '%-36s %s\n' "$name" "$verdict"
done
[ "$(pictures "$work/run/out")" -eq 12 ] || fail "There are $(pictures "$work/run/out") pictures, not 12."
[ "$differing" -eq 0 ] || fail "$differing pictures differ."
echo "12 pictures, each of the same bytes as without Slurm"

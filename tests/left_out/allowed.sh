#!/usr/bin/env bash
# What of the needs of tests beyond a user's rights this system allows: each is tried, and a line says `WORD: allowed` or
# `WORD: forbidden`.
set -u

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Says whether the command succeeds.
try() {
    local word=$1
    shift
    if "$@" > /dev/null 2>&1; then echo "$word: allowed"; else echo "$word: forbidden"; fi
}

# A small file system that only one process sees.
tmpfs() {
    local mounting=(mount -t tmpfs -o size=1m tmpfs "$folder")
    unshare --map-root-user --mount "${mounting[@]}" || unshare --mount "${mounting[@]}"
}

# Another user than root, with no more rights than that.
setpriv_() {
    setpriv --reuid=65534 --regid=65534 --clear-groups sh -c '! test -w /'
}

# Limits of a process's own resources.
prlimit_() {
    prlimit --fsize=4096 true
}

# Programs that start others with other signals, terminals or limits of time.
starters() {
    env --default-signal=TERM true && command -v nohup && command -v setsid && command -v timeout
}

# The word for what a process waits for.
wchan() {
    sleep 1 &
    while kill -0 $! && ! grep nanosleep "/proc/$!/wchan"; do :; done
    kill $!
}

# Some processors only.
taskset_() {
    taskset -c 0 true
}

# The folder of this process's group in the hierarchy of a controller, of version 1 or else 2.
own_group() {
    local line
    line=$(grep -E "^[0-9]+:([^:]*,)?$1(,[^:]*)?:" /proc/self/cgroup)
    if [[ -n $line ]]; then
        echo "/sys/fs/cgroup/$(cut -d: -f2 <<< "$line")${line#*:*:}"
    else
        line=$(grep '^0::' /proc/self/cgroup) && echo "/sys/fs/cgroup${line#0::}"
    fi
}

# A control group below one's own, with a limit (the file $2 or $3 set to $4), and a process in it.
control_group() {
    local group limit written=1
    group=$(own_group "$1")/impasto-allowed-$$
    mkdir "$group" || return 1
    for limit in "$2" "$3"; do
        if [[ -e $group/$limit ]]; then
            echo "$4" > "$group/$limit" && sh -c "echo \$\$ > '$group/cgroup.procs'"
            written=$?
            break
        fi
    done
    rmdir "$group"
    return "$written"
}

# A build folder that is not in memory itself.
not_tmpfs() {
    [[ $(stat --file-system --format=%T "$(dirname "${BASH_SOURCE[0]}")") != tmpfs ]]
}

# Room for a picture of 200 megapixels.
memory() {
    [[ $(awk '/^MemAvailable:/ { print $2 }' /proc/meminfo) -gt 1000000 ]]
}

# A Python that the package of crates/python can be built and tested with.
python_() {
    "$(dirname "${BASH_SOURCE[0]}")/../../crates/python/check.sh" --python
}

# NumPy, for the script that checks the paper from a run's numbers.
numpy() {
    "${IMPASTO_PYTHON:-python3}" -c 'import numpy'
}

try tmpfs tmpfs
try setpriv setpriv_
try prlimit prlimit_
try starters starters
try wchan wchan
try taskset taskset_
try memory-group control_group memory memory.limit_in_bytes memory.max 1073741824
try cpu-group control_group cpu cpu.cfs_quota_us cpu.max 100000
try disk not_tmpfs
try memory memory
try python python_
try numpy numpy

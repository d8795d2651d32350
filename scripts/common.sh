# Sourced by the scripts beside it: where the project is, and what it builds with.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Installs the packages that are missing, by apt, where that is permitted.
install_packages() {
    local missing=()
    for package in "$@"; do
        dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    echo "installing ${missing[*]}"
    if [ "$(id -u)" -ne 0 ]; then
        echo "not root: install them yourself (apt-get install ${missing[*]})" >&2
        exit 69
    fi
    apt-get update -q >/dev/null
    DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >/dev/null
}

# What the tests need of the kernel and a reboot undoes. Each lack that stays shows up as a skipped test.
prepare_kernel() {
    [ "$(id -u)" -eq 0 ] || return 0
    [ -e /dev/fuse ] || modprobe fuse || true
    # As udev has it; without udev it is root's alone.
    chmod a+rw /dev/fuse || true
    mountpoint -q /sys/fs/fuse/connections || mount -t fusectl fusectl /sys/fs/fuse/connections || true
    mountpoint -q /sys/kernel/tracing || mount -t tracefs tracefs /sys/kernel/tracing || true
    if [ -w /sys/module/fuse/parameters/enable_uring ]; then
        echo 1 >/sys/module/fuse/parameters/enable_uring || true
    fi
}

build_packages=(liburing-dev libfuse3-dev fuse3 pkg-config)
# What the bench measures with.
bench_packages=(fio)
# chromium: the tests of the report look at its page as a reader does; xfsprogs: a power cut is tried on xfs, too.
test_packages=(acl attr bindfs chromium e2fsprogs xfsprogs)

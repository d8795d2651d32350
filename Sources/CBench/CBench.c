#define _GNU_SOURCE
#include "CBench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int cbench_become(uid_t uid, gid_t gid, size_t group_count, const gid_t *groups, int keep_capability)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}};

    if (keep_capability >= 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return -1;
    if (setgroups(group_count, groups) < 0 || setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
        return -1;
    if (keep_capability < 0)
        return 0;
    data[keep_capability / 32].effective = data[keep_capability / 32].permitted = 1u << (keep_capability % 32);
    return (int)syscall(SYS_capset, &header, data);
}

int cbench_drop_unused(void)
{
    enum { no_automount = 4, close_on_exec = 1, reconfigure = 7 };
    char path[256] = ".";
    struct statx status;
    int context, result;

    // fspick(2) wants the root of the mount.
    for (;;) {
        if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_TYPE, &status) < 0)
            return -1;
        if (status.stx_attributes & STATX_ATTR_MOUNT_ROOT)
            break;
        if (strlen(path) + 4 > sizeof path) {
            errno = ENAMETOOLONG;
            return -1;
        }
        strcat(path, "/..");
    }
    context = (int)syscall(SYS_fspick, AT_FDCWD, path, no_automount | close_on_exec);
    if (context < 0)
        return -1;
    result = (int)syscall(SYS_fsconfig, context, reconfigure, NULL, NULL, 0);
    close(context);
    return result;
}

pid_t cbench_fork(void)
{
    return fork();
}

int cbench_exit_code(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int cbench_limit_file_size(uint64_t bytes)
{
    struct rlimit limit = {bytes, bytes};

    signal(SIGXFSZ, SIG_IGN);
    return setrlimit(RLIMIT_FSIZE, &limit);
}

void *cbench_map(int descriptor, int64_t offset, size_t length, int writable, int shared)
{
    void *memory = mmap(NULL, length, PROT_READ | (writable ? PROT_WRITE : 0), shared ? MAP_SHARED : MAP_PRIVATE,
                        descriptor, offset);

    return memory == MAP_FAILED ? NULL : memory;
}

void *cbench_shared_memory(size_t length)
{
    void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

static sigjmp_buf fault_return;

static void on_fault(int signal)
{
    siglongjmp(fault_return, signal);
}

int cbench_read_fault(const void *address)
{
    struct sigaction action = {.sa_handler = on_fault}, bus, segv;
    int caught;

    sigaction(SIGBUS, &action, &bus);
    sigaction(SIGSEGV, &action, &segv);
    caught = sigsetjmp(fault_return, 1);
    if (caught == 0)
        (void)*(const volatile char *)address;
    sigaction(SIGBUS, &bus, NULL);
    sigaction(SIGSEGV, &segv, NULL);
    return caught;
}

static int write_map(pid_t process, const char *name, uint32_t first, uint32_t shift, uint32_t count)
{
    char path[64], line[64];
    int descriptor, length, result;

    snprintf(path, sizeof(path), "/proc/%d/%s", process, name);
    length = snprintf(line, sizeof(line), "%u %u %u", first, first + shift, count);
    descriptor = open(path, O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
        return -1;
    result = write(descriptor, line, (size_t)length) == length ? 0 : -1;
    close(descriptor);
    return result;
}

// A user namespace with the given map; returns a descriptor of it.
static int user_namespace(uint32_t first, uint32_t shift, uint32_t count)
{
    int ready[2], descriptor = -1;
    char path[64], byte = 0;
    pid_t child;

    if (pipe2(ready, O_CLOEXEC) < 0)
        return -1;
    child = fork();
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (unshare(CLONE_NEWUSER) < 0)
            _exit(1);
        if (write(ready[1], &byte, 1) == 1)
            pause();
        _exit(0);
    }
    close(ready[1]);
    if (child > 0 && read(ready[0], &byte, 1) == 1 && write_map(child, "uid_map", first, shift, count) == 0 &&
        write_map(child, "gid_map", first, shift, count) == 0) {
        snprintf(path, sizeof(path), "/proc/%d/ns/user", child);
        descriptor = open(path, O_RDONLY | O_CLOEXEC);
    }
    close(ready[0]);
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    return descriptor;
}

// struct mount_attr and the numbers of mount_setattr(2), which older headers lack.
struct bench_mount_attr {
    uint64_t attr_set;
    uint64_t attr_clr;
    uint64_t propagation;
    uint64_t userns_fd;
};

int cbench_idmapped_mount(const char *path, const char *target, uint32_t first, uint32_t shift, uint32_t count)
{
    enum { open_tree = 428, move_mount = 429, mount_setattr = 442 };
    struct bench_mount_attr attributes = {.attr_set = 0x100000};
    int tree, namespace, result, saved;

    namespace = user_namespace(first, shift, count);
    if (namespace < 0)
        return -1;
    tree = (int)syscall(open_tree, AT_FDCWD, path, 1 | O_CLOEXEC);
    if (tree < 0) {
        close(namespace);
        return -1;
    }
    attributes.userns_fd = (uint64_t)namespace;
    result = (int)syscall(mount_setattr, tree, "", AT_EMPTY_PATH, &attributes, sizeof(attributes));
    if (result == 0)
        result = (int)syscall(move_mount, tree, "", AT_FDCWD, target, 4);
    saved = errno;
    close(tree);
    close(namespace);
    errno = saved;
    return result;
}

int cbench_statvfs(const char *path, struct statvfs *result)
{
    return statvfs(path, result);
}

int cbench_flock(int descriptor, int operation)
{
    return flock(descriptor, operation);
}

void cbench_die_with_parent(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
}

void cbench_rendezvous(void *counter, int count)
{
    uint32_t *arrived = counter;

    __atomic_add_fetch(arrived, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(arrived, __ATOMIC_SEQ_CST) < (uint32_t)count)
        sched_yield();
}

void cbench_remove_tree(int directory, const char *name)
{
    struct dirent *entry;
    DIR *stream;
    int descriptor;

    if (unlinkat(directory, name, 0) == 0 || unlinkat(directory, name, AT_REMOVEDIR) == 0)
        return;
    descriptor = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0)
        return;
    fchmod(descriptor, 0700);
    stream = fdopendir(descriptor);
    if (!stream) {
        close(descriptor);
        return;
    }
    while ((entry = readdir(stream)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            cbench_remove_tree(dirfd(stream), entry->d_name);
    closedir(stream);
    unlinkat(directory, name, AT_REMOVEDIR);
}

ssize_t cbench_sendfile(int out, int in, int64_t *offset, size_t count)
{
    return sendfile(out, in, offset, count);
}

int cbench_set_times(int directory, const char *path, const struct timespec times[2], int flags)
{
    return path ? utimensat(directory, path, times, flags) : futimens(directory, times);
}

uint64_t cbench_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

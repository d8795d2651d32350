#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int clinux_openat(int directory, const char *path, int flags, mode_t mode)
{
    return openat(directory, path, flags, mode);
}

int clinux_open_tree_clone(int directory)
{
    // OPEN_TREE_CLONE is 1; the number of the call is the same on every architecture.
    return (int)syscall(428, directory, "", 1u | AT_EMPTY_PATH | AT_RECURSIVE | O_CLOEXEC);
}

int clinux_mount_set_atime(int mount, uint64_t attribute)
{
    // struct mount_attr: attr_set, attr_clr (MOUNT_ATTR__ATIME is 0x70), propagation, userns_fd.
    uint64_t attributes[4] = {attribute, 0x70, 0, 0};

    return (int)syscall(442, mount, "", AT_EMPTY_PATH | AT_RECURSIVE, attributes, sizeof(attributes));
}

int clinux_mount_set_nosymfollow(const char *path)
{
    // MOUNT_ATTR_NOSYMFOLLOW.
    uint64_t attributes[4] = {0x200000, 0, 0, 0};

    return (int)syscall(442, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, attributes, sizeof(attributes));
}

int clinux_statx(int directory, const char *path, int flags, unsigned int mask, struct statx *buffer)
{
    return (int)syscall(SYS_statx, directory, path, flags, mask, buffer);
}

int clinux_renameat2(int olddir, const char *oldpath, int newdir, const char *newpath, unsigned int flags)
{
    return renameat2(olddir, oldpath, newdir, newpath, flags);
}

int clinux_fallocate(int descriptor, int mode, int64_t offset, int64_t length)
{
    return fallocate(descriptor, mode, offset, length);
}

ssize_t clinux_copy_file_range(int in, int64_t *in_offset, int out, int64_t *out_offset, size_t length, unsigned int flags)
{
    return copy_file_range(in, in_offset, out, out_offset, length, flags);
}

ssize_t clinux_read(int descriptor, void *buffer, size_t count)
{
    return syscall(SYS_read, descriptor, buffer, count);
}

ssize_t clinux_write(int descriptor, const void *buffer, size_t count)
{
    return syscall(SYS_write, descriptor, buffer, count);
}

ssize_t clinux_pread(int descriptor, void *buffer, size_t count, int64_t offset)
{
    return syscall(SYS_pread64, descriptor, buffer, count, offset);
}

ssize_t clinux_pwrite(int descriptor, const void *buffer, size_t count, int64_t offset)
{
    return syscall(SYS_pwrite64, descriptor, buffer, count, offset);
}

ssize_t clinux_preadv2(int descriptor, const struct iovec *vectors, int count, int64_t offset, int flags)
{
    return preadv2(descriptor, vectors, count, offset, flags);
}

ssize_t clinux_pwritev2(int descriptor, const struct iovec *vectors, int count, int64_t offset, int flags)
{
    return pwritev2(descriptor, vectors, count, offset, flags);
}

ssize_t clinux_getdents64(int descriptor, void *buffer, size_t count)
{
    return syscall(SYS_getdents64, descriptor, buffer, count);
}

ssize_t clinux_splice(int in, int64_t *in_offset, int out, int64_t *out_offset, size_t length, unsigned int flags)
{
    return splice(in, in_offset, out, out_offset, length, flags);
}

int clinux_memory_file(const char *name)
{
    return memfd_create(name, MFD_CLOEXEC);
}

int clinux_pipe2(int descriptors[2], int flags)
{
    return pipe2(descriptors, flags);
}

int clinux_fcntl(int descriptor, int command, long argument)
{
    return fcntl(descriptor, command, argument);
}

int clinux_fcntl_lock(int descriptor, int command, struct flock *lock)
{
    return fcntl(descriptor, command, lock);
}

int clinux_flock(int descriptor, int operation)
{
    return flock(descriptor, operation);
}

int clinux_ioctl(int descriptor, unsigned long request, void *argument)
{
    return ioctl(descriptor, request, argument);
}

int clinux_syncfs(int descriptor)
{
    return syncfs(descriptor);
}

_Static_assert(offsetof(struct clinux_file_handle, f_handle) == offsetof(struct file_handle, f_handle), "file_handle");

int clinux_name_to_handle_at(int directory, const char *path, struct clinux_file_handle *handle, int *mount_id, int flags)
{
    handle->handle_bytes = sizeof(handle->f_handle);
    return name_to_handle_at(directory, path, (struct file_handle *)handle, mount_id, flags);
}

int clinux_open_by_handle_at(int mount, struct clinux_file_handle *handle, int flags)
{
    return open_by_handle_at(mount, (struct file_handle *)handle, flags);
}

int clinux_xfs_generation(int descriptor, uint64_t inode, uint32_t *generation)
{
    // struct xfs_bulk_ireq and one struct xfs_bulkstat (192 bytes), whose bs_ino is the first member and bs_gen the one at
    // byte 64. Not from <xfs/xfs_fs.h>, which is a package of its own.
    struct {
        uint64_t ino;
        uint32_t flags, icount, ocount, agno;
        uint64_t reserved[5];
        uint64_t bs_ino;
        uint64_t to_gen[7];
        uint32_t bs_gen;
        uint32_t rest[31];
    } request = {.ino = inode, .icount = 1};

    _Static_assert(sizeof(request) == 64 + 192, "xfs_bulk_ireq with one xfs_bulkstat");
    if (ioctl(descriptor, _IOC(_IOC_READ, 'X', 127, 64), &request) < 0)
        return -1;
    if (request.ocount != 1 || request.bs_ino != inode) {
        errno = ENOENT;
        return -1;
    }
    *generation = request.bs_gen;
    return 0;
}

int clinux_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
    return close_range(first, last, flags);
}

int clinux_mknodat(int directory, const char *path, mode_t mode, uint32_t device_major, uint32_t device_minor)
{
    return (int)syscall(SYS_mknodat, directory, path, mode, makedev(device_major, device_minor));
}

long clinux_thread_sleeps(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_THREAD, &usage) == 0 ? usage.ru_nvcsw : 0;
}

size_t clinux_stack_size(void)
{
    pthread_attr_t attributes;
    size_t size = 0;
    pthread_attr_init(&attributes);
    pthread_attr_getstacksize(&attributes, &size);
    pthread_attr_destroy(&attributes);
    return size;
}

int clinux_gettid(void)
{
    return (int)syscall(SYS_gettid);
}

int clinux_place_thread(const int *cpus, size_t count)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    for (size_t index = 0; index < count; index++)
        CPU_SET(cpus[index], &set);
    return sched_setaffinity(0, sizeof(set), &set);
}

ssize_t clinux_write_on_cpu(int cpu, int fd, const void *buffer, size_t count)
{
    cpu_set_t former, set;
    ssize_t result;
    int error;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_getaffinity(0, sizeof(former), &former) != 0 || sched_setaffinity(0, sizeof(set), &set) != 0)
        return -1;
    result = write(fd, buffer, count);
    error = errno;
    sched_setaffinity(0, sizeof(former), &former);
    errno = error;
    return result;
}

int clinux_cpu(void)
{
    return sched_getcpu();
}

int clinux_cpu_allowed(int cpu)
{
    cpu_set_t set;

    return sched_getaffinity(getpid(), sizeof(set), &set) == 0 && CPU_ISSET(cpu, &set);
}

int clinux_tgkill(int thread, int signal)
{
    return (int)syscall(SYS_tgkill, getpid(), thread, signal);
}

int clinux_prctl(int option, unsigned long argument)
{
    return prctl(option, argument, 0, 0, 0);
}

uint32_t clinux_setfsuid(uint32_t uid)
{
    return (uint32_t)syscall(SYS_setfsuid, uid);
}

uint32_t clinux_setfsgid(uint32_t gid)
{
    return (uint32_t)syscall(SYS_setfsgid, gid);
}

int clinux_setgroups(size_t count, const uint32_t *groups)
{
    return (int)syscall(SYS_setgroups, count, groups);
}

static int capabilities(struct __user_cap_header_struct *header, struct __user_cap_data_struct data[2])
{
    header->version = _LINUX_CAPABILITY_VERSION_3;
    header->pid = 0;
    return (int)syscall(SYS_capget, header, data);
}

int clinux_set_effective_capability(int capability, int on)
{
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[2];

    if (capabilities(&header, data) < 0)
        return -1;
    if (on)
        data[capability / 32].effective |= 1u << (capability % 32);
    else
        data[capability / 32].effective &= ~(1u << (capability % 32));
    return (int)syscall(SYS_capset, &header, data);
}

int clinux_has_effective_capability(int capability)
{
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[2];

    return capabilities(&header, data) == 0 && (data[capability / 32].effective >> (capability % 32) & 1);
}

const char *clinux_errno_name(int error)
{
    return strerrorname_np(error);
}

static _Thread_local int thread_is_prepared;
static _Thread_local mode_t thread_umask;

int clinux_prepare_thread(int directory)
{
    int bits;

    if (thread_is_prepared)
        return 0;
    if (unshare(CLONE_FS) < 0 || fchdir(directory) < 0)
        return -1;
    thread_umask = umask(0);
    umask(thread_umask);
    bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
    if (bits >= 0)
        (void)prctl(PR_SET_SECUREBITS, bits | SECBIT_NO_SETUID_FIXUP, 0, 0, 0);
    thread_is_prepared = 1;
    return 0;
}

void clinux_set_thread_umask(mode_t mask)
{
    if (mask == thread_umask)
        return;
    umask(mask);
    thread_umask = mask;
}

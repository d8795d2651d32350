#define _GNU_SOURCE
#include "CLinuxBench.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int clinux_count_tracepoint(int tracepoint, pid_t thread, int cpu, const char *filter)
{
    struct perf_event_attr attributes;
    int descriptor;

    memset(&attributes, 0, sizeof(attributes));
    attributes.type = PERF_TYPE_TRACEPOINT;
    attributes.size = sizeof(attributes);
    attributes.config = (uint64_t)tracepoint;
    attributes.disabled = 1; // Until it has its filter.
    descriptor = (int)syscall(SYS_perf_event_open, &attributes, thread, cpu, -1, PERF_FLAG_FD_CLOEXEC);
    if (descriptor >= 0 && ((filter && ioctl(descriptor, PERF_EVENT_IOC_SET_FILTER, filter) < 0) ||
                            ioctl(descriptor, PERF_EVENT_IOC_ENABLE, 0) < 0)) {
        int error = errno;

        close(descriptor);
        errno = error;
        return -1;
    }
    return descriptor;
}

int clinux_count_instructions(pid_t thread)
{
    struct perf_event_attr attributes;

    memset(&attributes, 0, sizeof(attributes));
    attributes.type = PERF_TYPE_HARDWARE;
    attributes.size = sizeof(attributes);
    attributes.config = PERF_COUNT_HW_INSTRUCTIONS;
    attributes.exclude_kernel = 1;
    attributes.exclude_hv = 1;
    return (int)syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

int clinux_aio_setup(unsigned int requests, unsigned long *context)
{
    *context = 0;
    return (int)syscall(SYS_io_setup, requests, context);
}

int clinux_aio_submit(unsigned long context, int descriptor, int is_write, void *buffer, size_t length, int64_t offset)
{
    struct iocb block, *list = &block;

    memset(&block, 0, sizeof(block));
    block.aio_fildes = (uint32_t)descriptor;
    block.aio_lio_opcode = is_write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD;
    block.aio_buf = (uint64_t)(uintptr_t)buffer;
    block.aio_nbytes = length;
    block.aio_offset = offset;
    return (int)syscall(SYS_io_submit, context, 1, &list);
}

int clinux_aio_wait(unsigned long context, int least, int64_t *last_result)
{
    struct io_event events[64];
    int count = (int)syscall(SYS_io_getevents, context, least, 64, events, NULL);

    if (count > 0)
        *last_result = events[count - 1].res;
    return count;
}

int clinux_refuse_io_uring(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

int clinux_unshare_mounts(void)
{
    if (unshare(CLONE_NEWNS) < 0)
        return -1;
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
}

// System calls for the test bench that glibc has no wrapper for: tracepoint counters, native asynchronous I/O, and a
// filter that refuses io_uring.
#ifndef CLINUXBENCH_H
#define CLINUXBENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// perf_event_open(2) of a counter of one tracepoint on one CPU (or of one thread), with a filter in tracefs syntax or NULL.
int clinux_count_tracepoint(int tracepoint, pid_t thread, int cpu, const char *filter);

// perf_event_open(2) of the processor's counter of one thread's instructions in user mode.
int clinux_count_instructions(pid_t thread);

// io_setup(2), and io_submit(2) of one read or write; io_getevents(2) for at least `least` completions.
int clinux_aio_setup(unsigned int requests, unsigned long *context);
int clinux_aio_submit(unsigned long context, int descriptor, int is_write, void *buffer, size_t length, int64_t offset);
int clinux_aio_wait(unsigned long context, int least, int64_t *last_result);

// io_uring_setup(2) fails with EPERM from now on, in this thread and all that come from it (seccomp(2)).
int clinux_refuse_io_uring(void);

int clinux_unshare_mounts(void);  // unshare(CLONE_NEWNS), everything private

#endif

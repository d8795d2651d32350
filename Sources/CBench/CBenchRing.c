#define _GNU_SOURCE
#include "CBenchRing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/io_uring.h>

enum { sqe_size = 128, resize_rings = 33 };

struct cbench_ring {
    int descriptor;
    struct io_uring_params parameters;
    char *rings, *sqes;
    size_t rings_size, sqes_size, completion_size;
    uint32_t waiting;
};

static uint32_t *word(const struct cbench_ring *ring, uint32_t offset)
{
    return (uint32_t *)(ring->rings + offset);
}

static void *map(int descriptor, size_t size, off_t offset)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, offset);

    if (memory == MAP_FAILED)
        return NULL;
    // A mapping holds the ring as a descriptor does: no child shall have it unasked.
    madvise(memory, size, MADV_DONTFORK);
    return memory;
}

static int map_rings(struct cbench_ring *ring)
{
    struct io_uring_params *parameters = &ring->parameters;
    size_t submissions = parameters->sq_off.array + parameters->sq_entries * sizeof(uint32_t);

    ring->completion_size = sizeof(struct io_uring_cqe) << !!(parameters->flags & IORING_SETUP_CQE32);
    ring->rings_size = parameters->cq_off.cqes + parameters->cq_entries * ring->completion_size;
    if (ring->rings_size < submissions)
        ring->rings_size = submissions;
    ring->sqes_size = parameters->sq_entries * sqe_size;
    ring->rings = map(ring->descriptor, ring->rings_size, IORING_OFF_SQ_RING);
    ring->sqes = map(ring->descriptor, ring->sqes_size, IORING_OFF_SQES);
    return ring->rings && ring->sqes ? 0 : -1;
}

static void unmap_rings(struct cbench_ring *ring)
{
    if (ring->rings)
        munmap(ring->rings, ring->rings_size);
    if (ring->sqes)
        munmap(ring->sqes, ring->sqes_size);
    ring->rings = ring->sqes = NULL;
}

struct cbench_ring *cbench_ring_open(uint32_t entries, uint32_t completions, uint32_t flags)
{
    struct cbench_ring *ring = calloc(1, sizeof(*ring));

    if (!ring)
        return NULL;
    ring->parameters.flags = flags | IORING_SETUP_SQE128 | IORING_SETUP_CLAMP | (completions ? IORING_SETUP_CQSIZE : 0);
    ring->parameters.cq_entries = completions;
    ring->parameters.sq_thread_idle = 100;
    ring->descriptor = (int)syscall(SYS_io_uring_setup, entries, &ring->parameters);
    if (ring->descriptor < 0 || map_rings(ring) < 0) {
        int error = errno;

        cbench_ring_close(ring);
        errno = error;
        return NULL;
    }
    return ring;
}

int cbench_ring_descriptor(const struct cbench_ring *ring)
{
    return ring->descriptor;
}

void *cbench_ring_memory(const struct cbench_ring *ring)
{
    return ring->rings;
}

int cbench_ring_push(struct cbench_ring *ring, const struct cbench_sqe *sqe)
{
    struct io_sqring_offsets *offsets = &ring->parameters.sq_off;
    uint32_t mask = *word(ring, offsets->ring_mask), tail = *word(ring, offsets->tail);
    struct io_uring_sqe *slot;

    if (tail - __atomic_load_n(word(ring, offsets->head), __ATOMIC_ACQUIRE) > mask) {
        errno = EBUSY;
        return -1;
    }
    slot = (struct io_uring_sqe *)(ring->sqes + (tail & mask) * sqe_size);
    memset(slot, 0, sqe_size);
    slot->opcode = sqe->opcode;
    slot->flags = sqe->flags;
    slot->fd = sqe->descriptor;
    slot->cmd_op = sqe->command;
    slot->addr = sqe->address;
    slot->len = sqe->length;
    slot->rw_flags = (int)sqe->command_flags;
    slot->user_data = sqe->user_data;
    slot->buf_index = sqe->buffer;
    if (sqe->opcode == IORING_OP_URING_CMD)
        memcpy((char *)slot + sqe_size - sizeof(sqe->area), sqe->area, sizeof(sqe->area));
    word(ring, offsets->array)[tail & mask] = tail & mask;
    __atomic_store_n(word(ring, offsets->tail), tail + 1, __ATOMIC_RELEASE);
    ring->waiting++;
    return 0;
}

int cbench_ring_enter(struct cbench_ring *ring, uint32_t milliseconds)
{
    struct __kernel_timespec time = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000ll};
    struct io_uring_getevents_arg argument = {.ts = (uint64_t)(uintptr_t)&time};
    uint32_t flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG, count = ring->waiting;

    if (ring->parameters.flags & IORING_SETUP_SQPOLL)
        flags |= IORING_ENTER_SQ_WAKEUP;
    ring->waiting = 0;
    return (int)syscall(SYS_io_uring_enter, ring->descriptor, count, milliseconds ? 1 : 0, flags, &argument,
                        sizeof(argument));
}

int cbench_ring_pop(struct cbench_ring *ring, uint64_t *user_data, int32_t *result)
{
    struct io_cqring_offsets *offsets = &ring->parameters.cq_off;
    uint32_t head = *word(ring, offsets->head);
    struct io_uring_cqe *completion;

    if (head == __atomic_load_n(word(ring, offsets->tail), __ATOMIC_ACQUIRE))
        return 0;
    completion = (struct io_uring_cqe *)(ring->rings + offsets->cqes +
                                         (head & *word(ring, offsets->ring_mask)) * ring->completion_size);
    *user_data = completion->user_data;
    *result = completion->res;
    __atomic_store_n(word(ring, offsets->head), head + 1, __ATOMIC_RELEASE);
    return 1;
}

int cbench_ring_register(const struct cbench_ring *ring, uint32_t operation, void *argument, uint32_t count)
{
    return (int)syscall(SYS_io_uring_register, ring->descriptor, operation, argument, count);
}

int cbench_ring_resize(struct cbench_ring *ring, uint32_t entries)
{
    struct io_uring_params parameters = {
        .flags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP, .sq_entries = entries, .cq_entries = 2 * entries};

    if (cbench_ring_register(ring, resize_rings, &parameters, 1) < 0)
        return -1;
    unmap_rings(ring);
    parameters.flags = ring->parameters.flags;
    ring->parameters = parameters;
    return map_rings(ring);
}

void cbench_ring_close(struct cbench_ring *ring)
{
    unmap_rings(ring);
    if (ring->descriptor >= 0)
        close(ring->descriptor);
    free(ring);
}

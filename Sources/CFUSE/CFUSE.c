#include "CFUSE.h"
#include <stddef.h>

// The layouts are the kernel's (include/uapi/linux/fuse.h): a size or an offset that is off would corrupt every message.
_Static_assert(sizeof(struct fuse_in_header) == 40, "fuse_in_header");
_Static_assert(sizeof(struct fuse_out_header) == 16, "fuse_out_header");
_Static_assert(sizeof(struct fuse_init_in) == 64, "fuse_init_in");
_Static_assert(sizeof(struct cfuse_init_out) == 64, "fuse_init_out");
_Static_assert(offsetof(struct cfuse_init_out, flags2) == 32, "fuse_init_out.flags2");
_Static_assert(offsetof(struct cfuse_init_out, request_timeout) == 40, "fuse_init_out.request_timeout");
_Static_assert(sizeof(struct cfuse_open_out) == 16, "fuse_open_out");
_Static_assert(sizeof(struct fuse_entry_out) == 128, "fuse_entry_out");
_Static_assert(sizeof(struct fuse_attr_out) == 104, "fuse_attr_out");
_Static_assert(sizeof(struct fuse_setattr_in) == 88, "fuse_setattr_in");
_Static_assert(sizeof(struct fuse_setxattr_in) == 16, "fuse_setxattr_in");
_Static_assert(sizeof(struct cfuse_statx_in) == 24, "fuse_statx_in");
_Static_assert(sizeof(struct cfuse_statx_out) == 288, "fuse_statx_out");
_Static_assert(sizeof(struct cfuse_backing_map) == 16, "fuse_backing_map");
_Static_assert(sizeof(struct cfuse_uring_ent_in_out) == 32, "fuse_uring_ent_in_out");
_Static_assert(sizeof(struct cfuse_uring_req_header) == 288, "fuse_uring_req_header");
_Static_assert(offsetof(struct cfuse_uring_req_header, op_in) == 128, "fuse_uring_req_header.op_in");
_Static_assert(offsetof(struct cfuse_uring_req_header, ring_ent_in_out) == 256, "fuse_uring_req_header.ring_ent_in_out");
_Static_assert(offsetof(struct cfuse_uring_ent_in_out, payload_sz) == 16, "fuse_uring_ent_in_out.payload_sz");
_Static_assert(offsetof(struct cfuse_uring_ent_in_out, offset) == 20, "fuse_uring_ent_in_out.offset");
_Static_assert(sizeof(struct cfuse_uring_cmd_req) == 40, "fuse_uring_cmd_req");
_Static_assert(offsetof(struct cfuse_uring_cmd_req, qid) == 16, "fuse_uring_cmd_req.qid");
_Static_assert(offsetof(struct cfuse_uring_cmd_req, of.bufpool.uaddr) == 24, "fuse_uring_cmd_req.bufpool.uaddr");
_Static_assert(offsetof(struct cfuse_uring_cmd_req, of.bufpool.len) == 32, "fuse_uring_cmd_req.bufpool.len");
_Static_assert(
    offsetof(struct cfuse_uring_cmd_req, of.ent_zero_copy_buf_index) == 24,
    "fuse_uring_cmd_req.ent_zero_copy_buf_index");

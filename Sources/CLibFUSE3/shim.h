// libfuse3 is used for one thing: to mount and to unmount, with or without privileges. Its two calls are declared here
// rather than through <fuse.h>, which needs _FILE_OFFSET_BITS and an API version and brings in a whole filesystem API.
#ifndef CLIBFUSE3_SHIM_H
#define CLIBFUSE3_SHIM_H

// Opens /dev/fuse and mounts it on `mountpoint` with the comma-separated `options`, through mount(2) or fusermount3.
// Returns the descriptor, or -1 after a message on standard error (fuse.h, FUSE_3.3).
int fuse_open_channel(const char *mountpoint, const char *options);

#endif

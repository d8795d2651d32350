#!/bin/busybox sh
# The first process: from here to the guest's root. /dev/vda is the root, vdb the job, vdc the kernel's modules, if there are.
/bin/busybox mount -t devtmpfs dev /dev
for module in /modules/*.ko; do
    [ ! -e "$module" ] || /bin/busybox insmod "$module"
done
/bin/busybox mount -t ext4 -o noatime /dev/vda /root || exec /bin/busybox reboot -f
/bin/busybox mount -t tmpfs tmpfs /root/run
/bin/busybox mkdir -p /root/run/job /root/lib/modules
/bin/busybox mount -t ext4 -o ro /dev/vdb /root/run/job || exec /bin/busybox reboot -f
[ ! -e /dev/vdc ] || /bin/busybox mount -t ext4 -o ro /dev/vdc /root/lib/modules
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /bin/bash /run/job/init

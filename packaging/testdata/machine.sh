#!/bin/sh
# A throw-away system over a base that is not changed: machine.sh idle|systemd BASE WORK PACKAGES [CGROUP]
#
# Runs in a mount namespace of its own (unshare --mount), so nothing is left when
# it ends. idle: the system lies in WORK/root, to be entered with chroot, and
# nothing runs in it. systemd: it is booted, in namespaces of its own (processes,
# network, mounts, cgroups), and tells WORK/notify/socket when it is up.
set -eu
mode=$1 base=$2 work=$3 packages=$4 cgroup=${5:-}
root=$work/root

case $mode in
idle | systemd)
	mount -t tmpfs -o mode=0755 tmpfs "$work/layer"
	mkdir "$work/layer/upper" "$work/layer/work"
	mount -t overlay -o "lowerdir=$base,upperdir=$work/layer/upper,workdir=$work/layer/work" overlay "$root"
	mkdir "$root/packages"
	mount --bind "$packages" "$root/packages"
	mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
	mkdir "$root/dev/pts" "$root/dev/shm"
	for node in null zero full random urandom tty; do
		: >"$root/dev/$node"
		mount --bind "/dev/$node" "$root/dev/$node"
	done
	;;
esac

case $mode in
idle)
	mount -t proc proc "$root/proc"
	echo ready
	exec sleep infinity
	;;
systemd)
	mkdir "$work/layer/cgroup"
	mount -t cgroup2 cgroup2 "$work/layer/cgroup"
	mkdir "$work/layer/cgroup/$cgroup"
	echo 0 >"$work/layer/cgroup/$cgroup/cgroup.procs"
	exec unshare --cgroup --mount --pid --net --uts --ipc --fork --kill-child sh "$0" init "$base" "$work" "$packages"
	;;
init)
	mount -t proc proc "$root/proc"
	mount -t sysfs sysfs "$root/sys"
	mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
	mount -t tmpfs -o mode=0755 tmpfs "$root/run"
	mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
	ln -s pts/ptmx "$root/dev/ptmx"
	mkdir -p "$root/run/host/notify"
	mount --bind "$work/notify" "$root/run/host/notify"
	echo sensor >"$root/proc/sys/kernel/hostname"
	ip link set lo up
	cd "$root"
	mkdir old
	pivot_root . old
	umount -l /old
	rmdir /old
	# systemd expects it so, and mounts the credentials of a service elsewhere.
	mount --make-rshared /
	exec env -i container=namespaces NOTIFY_SOCKET=/run/host/notify/socket PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		/lib/systemd/systemd --system --unit=multi-user.target
	;;
esac

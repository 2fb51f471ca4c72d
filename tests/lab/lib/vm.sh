# shellcheck shell=bash
# The virtual machines: cold boot once, saved when ready; after that a run starts from the saved state in seconds.

VM_MEMORY_MB=640
KERNEL_ARGUMENTS="root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 mitigations=off audit=0 apparmor=0"

# KVM is used only where a trial boot proves that it works: the device may be there and fail. The answer is this boot's
# and this user's.
choose_accelerator() {
  local answer=$LAB_CACHE/accelerator asked_by
  asked_by="$(cat /proc/sys/kernel/random/boot_id) $([ -w /dev/kvm ] && echo writable)"
  if [ "$(head -n 1 "$answer" 2>/dev/null)" != "$asked_by" ]; then
    ACCELERATOR=tcg,thread=multi
    if kvm_boots; then ACCELERATOR=kvm; fi
    printf '%s\n%s\n' "$asked_by" "$ACCELERATOR" >"$answer"
  fi
  ACCELERATOR=$(tail -n 1 "$answer")
}

kvm_boots() {
  [ -w /dev/kvm ] || return 1
  local console
  console=$(mktemp)
  timeout 20 qemu-system-x86_64 -accel kvm -cpu host -m 256 -nodefaults -display none -no-reboot \
    -serial "file:$console" -kernel "$IMAGE/vmlinuz" -append "console=ttyS0 panic=-1" >/dev/null 2>&1
  grep -q 'Kernel panic' "$console" # no root disk was given: to get there the kernel has to have run
}

# zone NODE: the availability zone that the node's metadata tells.
zone() {
  local letters=(a b c)
  echo "us-east-1${letters[$(node_index "$1")]}"
}

on_ec2() { [ ! -e "$RUN/off-ec2" ]; }

instance_id() { printf 'i-0123456789abcde%02d' "$(node_index "$1")"; }

mac() { printf '52:54:00:%02x:00:%02x' "$2" $(($(node_index "$1") + 1)); }

# qemu_command NODE DIRECTORY DISK: sets the array QEMU. Both boots of a node (to save it, and from the saved state)
# must have the same devices.
qemu_command() {
  local node=$1 directory=$2 disk=$3 machine_id
  machine_id=$(echo "connect-ha-lab $node" | md5sum | cut -d ' ' -f 1)
  local cpu=max
  [ "$ACCELERATOR" = kvm ] && cpu=host
  QEMU=(qemu-system-x86_64 -name "$node" -machine pc -accel "$ACCELERATOR" -cpu "$cpu" -smp 1 -m "$VM_MEMORY_MB"
    -nodefaults -display none -no-user-config
    -kernel "$IMAGE/vmlinuz" -initrd "$IMAGE/initrd"
    -append "$KERNEL_ARGUMENTS systemd.hostname=$node systemd.machine_id=$machine_id"
    -serial "file:$directory/log/console-$node.log"
    -qmp "unix:$directory/qmp-$node,server=on,wait=off"
    -drive "file=$disk,if=virtio,format=qcow2,cache=writeback,discard=unmap"
    -device virtio-rng-pci
    -netdev "user,id=lan,ipv6=off,hostfwd=tcp:127.0.0.1:$(ssh_port "$node")-:22,hostfwd=tcp:127.0.0.1:$(connect_port "$node")-:3939,hostfwd=tcp:127.0.0.1:$(gate_port "$node")-:$GATE_PORT"
    -device "virtio-net-pci,netdev=lan,mac=$(mac "$node" 1),romfile=")
  on_ec2 || return 0
  # The firmware says that this is EC2, and the metadata service answers.
  QEMU+=(-smbios "type=1,manufacturer=Amazon EC2,product=t3.large,uuid=ec2${machine_id:3:5}-${machine_id:8:4}-${machine_id:12:4}-${machine_id:16:4}-${machine_id:20:12}"
    -smbios "type=2,manufacturer=Amazon EC2,asset=$(instance_id "$node")"
    -netdev "user,id=imds,ipv6=off,restrict=on,net=169.254.169.0/24,host=169.254.169.1,dns=169.254.169.3,guestfwd=tcp:169.254.169.254:80-cmd:$LAB_HOME/services/imds $directory/imds/$node $directory/imds/key"
    -device "virtio-net-pci,netdev=imds,mac=$(mac "$node" 2),romfile=")
}

# write_imds NODE: what the node's metadata service tells.
write_imds() {
  local node=$1 data=$RUN/imds/$1/meta-data index
  index=$(node_index "$node")
  mkdir -p "$data/placement" "$data/network/interfaces/macs/$(mac "$node" 1)"
  [ -e "$RUN/imds/key" ] || (umask 077 && openssl rand -hex 32 >"$RUN/imds/key")
  instance_id "$node" >"$data/instance-id"
  printf 't3.large' >"$data/instance-type"
  printf 'ami-0123456789abcdef0' >"$data/ami-id"
  printf '10.0.2.15' >"$data/local-ipv4"
  printf 'on-demand' >"$data/instance-life-cycle"
  mac "$node" 1 >"$data/mac"
  printf '%s' "$(zone "$node")" >"$data/placement/availability-zone"
  printf 'use1-az%d' $((index + 1)) >"$data/placement/availability-zone-id"
  printf 'us-east-1' >"$data/placement/region"
  printf 'subnet-0123456789abcde%02d' "$index" >"$data/network/interfaces/macs/$(mac "$node" 1)/subnet-id"
  printf 'vpc-0123456789abcdef0' >"$data/network/interfaces/macs/$(mac "$node" 1)/vpc-id"
}

# node_ssh NODE COMMAND... : over one kept connection, since a new one costs a second on an emulated processor.
node_ssh() {
  local node=$1
  shift
  ssh -q -F none -i "$IMAGE/ssh_key" -p "$(ssh_port "$node")" -o BatchMode=yes \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=5 -o ServerAliveInterval=10 \
    -o ControlMaster=auto -o ControlPath="$RUN/ssh-$node" -o ControlPersist=600 root@127.0.0.1 "$@"
}

node_ready() { node_ssh "$1" -o ConnectTimeout=2 true </dev/null; }

# ensure_saved: every node booted once from the image and saved; leaves SAVED pointing to the directory.
ensure_saved() {
  choose_accelerator
  SAVED=$IMAGE/saved-$(on_ec2 && echo ec2- || echo off-ec2-)$({
    sha256sum "$LAB_HOME/lib/vm.sh" "$(command -v qemu-system-x86_64)" | cut -d ' ' -f 1
    echo "$ACCELERATOR"
  } | sha256sum | cut -c 1-8)
  [ -e "$SAVED/complete" ] || save_nodes
}

save_nodes() {
  local node
  say "booting the nodes once, to save them ready (accelerator: $ACCELERATOR)"
  rm -rf "$SAVED"
  mkdir -p "$SAVED"
  for node in "${NODES[@]}"; do
    qemu-img create -q -f qcow2 -F raw -b "$IMAGE/root.raw" "$SAVED/$node.qcow2"
    write_imds "$node"
    qemu_command "$node" "$RUN" "$SAVED/$node.qcow2"
    start_process "vm-$node" "${QEMU[@]}"
  done
  for node in "${NODES[@]}"; do
    wait_for 900 "ssh to $node" node_ready "$node"
    say "$node is up"
  done
  for node in "${NODES[@]}"; do
    node_ssh "$node" 'systemctl is-system-running --wait && systemctl stop chrony && sync' >/dev/null
    close_ssh "$node"
  done
  sleep 2 # lets the nodes come to rest
  for node in "${NODES[@]}"; do
    "$LAB_HOME/services/qmp" "$RUN/qmp-$node" save "$SAVED/$node.state"
    stop_process "vm-$node"
  done
  touch "$SAVED/complete"
  say "nodes saved: $(du -sh "$SAVED" | cut -f 1)"
}

close_ssh() {
  if [ -S "$RUN/ssh-$1" ]; then ssh -q -F none -o ControlPath="$RUN/ssh-$1" -O exit node 2>/dev/null || rm -f "$RUN/ssh-$1"; fi
}

# start_node NODE: from its saved state, on an overlay of its own.
start_node() {
  local node=$1
  write_imds "$node"
  qemu-img create -q -f qcow2 -F qcow2 -b "$SAVED/$node.qcow2" "$RUN/$node.qcow2"
  qemu_command "$node" "$RUN" "$RUN/$node.qcow2"
  start_process "vm-$node" "${QEMU[@]}" -incoming "exec:cat '$SAVED/$node.state'"
  wait_for 10 "the monitor of $node" test -S "$RUN/qmp-$node"
  "$LAB_HOME/services/qmp" "$RUN/qmp-$node" resume
}

# cut_power NODE: as if its plug was drawn. What the guest had not flushed is lost.
cut_power() {
  close_ssh "$1"
  signal_process "vm-$1" KILL
  wait_for 10 "$1 to be dead" eval "! process_alive vm-$1"
}

# boot_node NODE: from its own disk, as it is.
boot_node() {
  choose_accelerator
  qemu_command "$1" "$RUN" "$RUN/$1.qcow2"
  start_process "vm-$1" "${QEMU[@]}"
}

# new_machine NODE: as EC2 starts another instance of an image: its first boot, with the user data that the others had.
new_machine() {
  write_imds "$1"
  cp "$RUN/user-data" "$RUN/imds/$1/"
  qemu-img create -q -f qcow2 -F raw -b "$IMAGE/root.raw" "$RUN/$1.qcow2"
  boot_node "$1"
}

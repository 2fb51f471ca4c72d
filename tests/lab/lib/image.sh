# shellcheck shell=bash
# The nodes' disk image: of the release that the agent's package is built in. Cached under a key made of everything that goes
# into it.

CONNECT_VERSION=2024.08.1
QUARTO_VERSION=1.5.57
# Not in the image: what a specification may ask for beside it.
CONNECT_OTHER_VERSION=2024.06.0   # an older release, and another schema
CONNECT_EARLIER_VERSION=2024.08.0 # of the same release and schema
CONNECT_LATER_VERSION=2024.09.0   # a newer release, and another schema
QUARTO_OTHER_VERSION=1.4.557
R_OTHER_VERSION=4.1.3
PYTHON_OTHER_VERSION=3.9.18
VERSIONS_BY_NAME=(CONNECT_VERSION CONNECT_OTHER_VERSION CONNECT_EARLIER_VERSION CONNECT_LATER_VERSION
  QUARTO_VERSION QUARTO_OTHER_VERSION R_OTHER_VERSION PYTHON_OTHER_VERSION)

# What differs between the distributions that the nodes may be of.
load_distribution() {
  SUITE=$LAB_RELEASE
  KEYRING=()
  read -r OS_ID OS_VERSION < <(in_release sh -c '. /etc/os-release && echo "$ID $VERSION_ID"')
  case $OS_ID in
    debian)
      KERNEL_PACKAGE=linux-image-cloud-amd64
      COMPONENTS=main
      MIRRORS=() # mmdebstrap knows Debian's
      ;;
    ubuntu)
      KERNEL_PACKAGE=linux-image-virtual
      COMPONENTS=main,universe
      # mmdebstrap takes an Ubuntu that it does not know by name for a Debian.
      MIRRORS=("deb http://archive.ubuntu.com/ubuntu $SUITE main universe"
        "deb http://archive.ubuntu.com/ubuntu $SUITE-updates main universe")
      # Debian has no package of Ubuntu's keys.
      of_host || KEYRING=(--keyring="$RELEASE_ROOT/usr/share/keyrings/ubuntu-archive-keyring.gpg")
      ;;
    *) die "the lab knows Debian and Ubuntu, this is $OS_ID" "run it on Debian 12 or Ubuntu 22.04" ;;
  esac
  PYTHON_MINOR=$(in_release apt-cache show python3 | sed -n 's/^Version: \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
}

# The packages that the agent's shared libraries come from, as they are where it was built.
agent_library_packages() {
  local patterns=('libgrpc++1*' 'libprotobuf[0-9]*' 'libpqxx-[0-9]*' 'libspdlog1*' 'libfmt[0-9]*' 'libyaml-cpp0*'
    'libabsl20*' 'libcurl4' 'libarchive13*' 'libcpp-httplib0*' 'libsystemd0' 'libsqlite3-0' 'libssl[0-9]*' 'libsodium[0-9]*')
  in_release dpkg-query -W -f '${db:Status-Abbrev}${Package}\n' "${patterns[@]}" 2>/dev/null | sed -n 's/^ii //p' | sort -u
}

image_packages() {
  sed -e 's/#.*//' -e '/^ *$/d' "$LAB_HOME/image/packages.txt"
  echo "$KERNEL_PACKAGE"
  in_release apt-cache depends r-base-core | grep -o 'libicu[0-9]*'
  agent_library_packages
}

image_key() {
  {
    echo "$SUITE $KERNEL_PACKAGE"
    # By their versions: after an update of the mirror the image is another.
    # shellcheck disable=SC2046  # one word a package
    in_release apt-cache show --no-all-versions $(image_packages) r-base-core "python$PYTHON_MINOR" 2>/dev/null |
      grep -E '^(Package|Version):' | sort
    find "$LAB_HOME"/{image,interpreters,standins,lib/image.sh} -type f -print0 | sort -z | xargs -0 sha256sum |
      sed "s|$LAB_HOME||"
  } | sha256sum | cut -c 1-16
}

# ensure_image: leaves IMAGE pointing to a directory with root.raw, vmlinuz, initrd, ssh_key, versions, packages/.
ensure_image() {
  require_package_lists
  load_distribution
  IMAGE=$LAB_CACHE/image-$(image_key)
  [ -e "$IMAGE/complete" ] || build_image
  ln -sfn "$IMAGE" "$RUN/image"
  # shellcheck disable=SC1091
  . "$IMAGE/versions"
}

# The lists say which versions there are; a fresh container has none.
require_package_lists() {
  if [ -z "$(in_release apt-cache search --names-only '^r-base-core$')" ]; then root_in_release apt-get -qq update; fi
}

build_image() {
  require_disk "$LAB_CACHE" 5000
  say "building the nodes' image ($SUITE); this is done once"
  "${AS_ROOT[@]}" rm -rf --one-file-system "$IMAGE"
  mkdir -p "$IMAGE/packages" "$IMAGE/downloads" "$IMAGE/root"
  ssh-keygen -q -t ed25519 -N '' -C connect-ha-lab -f "$IMAGE/ssh_key"
  build_standins
  build_interpreters
  install_root
  pack_root
  touch "$IMAGE/complete"
  prune_images
  say "image ready: $IMAGE"
}

# prune_images: three are kept, for those who go from branch to branch, and any that a lab runs on.
prune_images() {
  local image
  find "$LAB_CACHE" -maxdepth 1 -name 'image-*' -printf '%T@ %p\n' | sort -rn | tail -n +4 | cut -d ' ' -f 2 |
    while read -r image; do
      if [ -z "$(find "$LAB_ROOT" -maxdepth 2 -name image -lname "$image")" ]; then
        "${AS_ROOT[@]}" rm -rf --one-file-system "$image"
      fi
    done
}

build_standins() {
  say "packing the stand-ins for Connect, Quarto and a second R"
  local version
  for version in "$CONNECT_VERSION" "$CONNECT_OTHER_VERSION" "$CONNECT_EARLIER_VERSION" "$CONNECT_LATER_VERSION"; do
    in_release "$LAB_HOME/standins/make-connect-deb" "$version" "$IMAGE/packages" 2>/dev/null
  done
  "$LAB_HOME/standins/make-quarto-archive" "$QUARTO_VERSION" "$IMAGE/packages"
  "$LAB_HOME/standins/make-quarto-archive" "$QUARTO_OTHER_VERSION" "$IMAGE/packages"
  "$LAB_HOME/standins/make-r-deb" "$R_OTHER_VERSION" "$IMAGE/packages" 2>/dev/null
}

build_interpreters() {
  say "repackaging R and Python"
  local python="python$PYTHON_MINOR"
  chmod 0755 "$IMAGE/downloads"
  # shellcheck disable=SC2016 # expanded by the inner shell
  in_release sh -c 'cd "$0" && apt-get -qq -o APT::Sandbox::User=root download "$@"' "$IMAGE/downloads" r-base-core \
    "$python" "$python-minimal" "lib$python-minimal" "lib$python-stdlib" "$python-venv" python3-pip-whl \
    python3-setuptools-whl python3-distutils
  R_VERSION=$("$LAB_HOME/interpreters/make-r-deb" "$IMAGE/downloads" "$IMAGE/packages" 2>/dev/null)
  PYTHON_VERSION=$(in_release "$LAB_HOME/interpreters/make-python-deb" "$IMAGE/downloads" "$IMAGE/packages" 2>/dev/null)
  rm -rf "$IMAGE/downloads"
  "$LAB_HOME/standins/make-python-deb" "$PYTHON_OTHER_VERSION" "$PYTHON_VERSION" "$IMAGE/packages" 2>/dev/null
  local name
  for name in OS_ID OS_VERSION R_VERSION PYTHON_VERSION "${VERSIONS_BY_NAME[@]}"; do
    printf '%s=%s\n' "$name" "${!name}"
  done >"$IMAGE/versions"
}

install_root() {
  say "installing the nodes' system (one to three minutes)"
  local include
  include=$(image_packages | paste -s -d ,)
  "${AS_ROOT[@]}" mmdebstrap --quiet --mode=root --variant=minbase --components="$COMPONENTS" --include="$include" \
    --aptopt='APT::Install-Recommends "false"' "${KEYRING[@]}" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' \
    --essential-hook="mkdir -p \"\$1/etc\" && cp -r '$LAB_HOME/image/files/etc/initramfs-tools' \"\$1/etc/\"" \
    --customize-hook="'$LAB_HOME/image/customize' \"\$1\" '$IMAGE'" \
    "$SUITE" "$IMAGE/root" "${MIRRORS[@]}" >"$IMAGE/install.log" 2>&1 || {
    tail -n 20 "$IMAGE/install.log" >&2
    die "the nodes' system could not be installed, see $IMAGE/install.log" "is the package mirror in reach? then again"
  }
}

pack_root() {
  say "packing the disk"
  "${AS_ROOT[@]}" cp "$IMAGE/root/boot/"vmlinuz-* "$IMAGE/vmlinuz"
  "${AS_ROOT[@]}" cp "$IMAGE/root/boot/"initrd.img-* "$IMAGE/initrd"
  # Each node makes its own. "uninitialized", as one mmdebstrap leaves it, would be a first boot to systemd: it enables
  # every unit then, Connect's too.
  "${AS_ROOT[@]}" truncate --size 0 "$IMAGE/root/etc/machine-id"
  "${AS_ROOT[@]}" mke2fs -q -t ext4 -d "$IMAGE/root" -E lazy_itable_init=1,lazy_journal_init=1 "$IMAGE/root.raw" 4G
  "${AS_ROOT[@]}" chown -R "$(id -u):$(id -g)" "$IMAGE"/{root.raw,vmlinuz,initrd}
  "${AS_ROOT[@]}" rm -rf --one-file-system "$IMAGE/root"
}

# load_image_of_run: the image that the running lab was started from, and the versions in it.
load_image_of_run() {
  IMAGE=$(readlink "$RUN/image")
  # shellcheck disable=SC1091
  . "$IMAGE/versions"
}

# shellcheck shell=bash
# Everything below lib/, in one line for the scripts that use it.

lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=common.sh
. "$lib/common.sh"
# shellcheck source=release.sh
. "$lib/release.sh"
# shellcheck source=image.sh
. "$lib/image.sh"
# shellcheck source=vm.sh
. "$lib/vm.sh"
# shellcheck source=services.sh
. "$lib/services.sh"
# shellcheck source=balancer.sh
. "$lib/balancer.sh"
# shellcheck source=users.sh
. "$lib/users.sh"
# shellcheck source=storage_faults.sh
. "$lib/storage_faults.sh"
# shellcheck source=database_faults.sh
. "$lib/database_faults.sh"
# shellcheck source=backups.sh
. "$lib/backups.sh"
# shellcheck source=coordinator.sh
. "$lib/coordinator.sh"
# shellcheck source=specification.sh
. "$lib/specification.sh"
# shellcheck source=nodes.sh
. "$lib/nodes.sh"
PATH=$PATH:/usr/sbin:/sbin

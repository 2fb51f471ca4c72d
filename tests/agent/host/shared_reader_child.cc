// The process that SharedReader's tests start in place of the agent's own binary.
#include "agent/host/processes/shared_reader.h"

int main() { return connect_ha::ServeSharedReads(0); }

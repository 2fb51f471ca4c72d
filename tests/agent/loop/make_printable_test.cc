#include "agent/loop/make_printable.h"

#include <gtest/gtest.h>

#include "connect_ha/v1/facts.pb.h"

namespace connect_ha {
namespace {

TEST(MakePrintable, GoesThroughTheWholeMessage) {
  v1::Facts facts;
  facts.mutable_host()->set_hostname("node-1\xff");
  v1::Mount& mount = *facts.mutable_storage()->add_mounts();
  mount.set_mount_point("/home/x\x1b");
  mount.add_options("rw");
  mount.add_options("fsname=\xfe");
  MakePrintable(facts);
  EXPECT_EQ(facts.host().hostname(), "node-1\\xff");
  EXPECT_EQ(facts.storage().mounts(0).mount_point(), "/home/x\\x1b");
  EXPECT_EQ(facts.storage().mounts(0).options(0), "rw");
  EXPECT_EQ(facts.storage().mounts(0).options(1), "fsname=\\xfe");
  v1::Facts read;
  EXPECT_TRUE(read.ParseFromString(facts.SerializeAsString()));
}

}  // namespace
}  // namespace connect_ha

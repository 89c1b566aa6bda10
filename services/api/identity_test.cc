#include "api/identity.h"

#include <gtest/gtest.h>

#include <string>

namespace pando::api {
namespace {

using model::Identity;
using model::Reason;

// The vector of ZooKeeper's own documentation and tests.
TEST(Identity, DigestIsZooKeepers) {
  Identity identity;
  ASSERT_TRUE(ParseCredential("digest:super:test", &identity).ok());
  EXPECT_EQ(identity, (Identity{"digest", "super:D/InIHSb7yEEbrWz8b9l71RjZJU="}));
}

TEST(Identity, PasswordMayHaveColons) {
  Identity one;
  Identity other;
  ASSERT_TRUE(ParseCredential("digest:u:a:b", &one).ok());
  ASSERT_TRUE(ParseCredential("digest:u:a", &other).ok());
  EXPECT_EQ(one.id.substr(0, 2), "u:");
  EXPECT_NE(one.id, other.id);
}

// "ip" and "world" are this server's to give, and nobody becomes "super" by saying so.
TEST(Identity, AnythingElseIsRefused) {
  for (const std::string text :
       {"", "digest", "digest:", "digest:user", "digest::password", "ip:10.0.0.1", "world:anyone",
        "super:x", "DIGEST:user:password"}) {
    Identity identity;
    EXPECT_EQ(ParseCredential(text, &identity).reason, Reason::kUnauthenticated) << text;
  }
  Identity identity;
  EXPECT_TRUE(ParseCredential("digest:u:" + std::string(1'022, 'p'), &identity).ok());
  EXPECT_EQ(ParseCredential("digest:u:" + std::string(1'023, 'p'), &identity).reason,
            Reason::kUnauthenticated);
}

TEST(Identity, PeersAddressHasNoPort) {
  EXPECT_EQ(AddressOfPeer("ipv4:10.0.0.1:4711"), "10.0.0.1");
  EXPECT_EQ(AddressOfPeer("ipv6:%5B::1%5D:4711"), "::1");
  EXPECT_EQ(AddressOfPeer("ipv6:[fe80::2]:4711"), "fe80::2");
  EXPECT_EQ(AddressOfPeer("unix:/run/pando"), "");
  EXPECT_EQ(AddressOfPeer(""), "");
}

}  // namespace
}  // namespace pando::api

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "acl/digest.h"
#include "acl/names.h"
#include "acl/permission.h"
#include "acl/scheme.h"
#include "gtest/gtest.h"
#include "model/limits.h"

namespace pando::acl {
namespace {

using model::Acl;
using model::Identity;
using Identities = std::vector<Identity>;

const Identity kAnn = {"digest", "ann:hash-of-ann"};
const Identity kBob = {"digest", "bob:hash-of-bob"};

Acl Granting(uint32_t permissions, Identity to) { return {{permissions, std::move(to)}}; }

bool FromAddress(const std::string& address, const std::string& range) {
  return Allows(Granting(model::kRead, {"ip", range}), model::kRead, {{"ip", address}});
}

TEST(IdentityOfSubject, IsWhatTheCertificateSays) {
  EXPECT_EQ(IdentityOfSubject("CN=ann,O=Example"), (Identity{"x509", "CN=ann,O=Example"}));
  EXPECT_EQ(IdentityOfSubject(""), std::nullopt);
  EXPECT_NE(IdentityOfSubject(std::string(model::kIdentityBytesMax, 'x')), std::nullopt);
  EXPECT_EQ(IdentityOfSubject(std::string(model::kIdentityBytesMax + 1, 'x')), std::nullopt);
}

TEST(NamesOf, NoHashGoesOnRecord) {
  EXPECT_EQ(NamesOf({kAnyone, {"ip", "::1"}, kAnn, {"x509", "CN=a:b"}, kSuper}),
            "ip:::1 digest:ann x509:CN=a:b super:");
  EXPECT_EQ(NamesOf({kAnyone}), "");
}

TEST(Allows, WhatAnyEntryGrantsToAnyIdentityIsGranted) {
  const Acl acl = {{model::kRead, kAnn}, {model::kWrite | model::kAdmin, kBob}};
  EXPECT_TRUE(Allows(acl, model::kRead, {kAnn}));
  EXPECT_FALSE(Allows(acl, model::kWrite, {kAnn}));
  EXPECT_TRUE(Allows(acl, model::kWrite, {kAnn, kBob}));
  EXPECT_TRUE(Allows(acl, model::kRead | model::kAdmin, {kBob}));
  EXPECT_FALSE(Allows(acl, model::kRead, {}));
  EXPECT_FALSE(Allows(acl, model::kDelete, {kAnn, kBob}));
}

TEST(Allows, AnyoneNeedsNoIdentity) {
  EXPECT_TRUE(Allows(Granting(model::kRead, kAnyone), model::kRead, {}));
  EXPECT_FALSE(Allows(Granting(model::kRead, kAnyone), model::kWrite, {}));
}

TEST(Allows, OnlySuperPassesEverything) {
  const Acl acl = Granting(model::kRead, kAnn);
  EXPECT_TRUE(Allows(acl, model::kAdmin, {{"super", ""}}));
  EXPECT_FALSE(Allows(acl, model::kAdmin, {{"digest", "super:hash"}}));
}

TEST(Allows, TheSameIdOfAnotherSchemeIsSomebodyElse) {
  EXPECT_FALSE(Allows(Granting(model::kRead, kAnn), model::kRead, {{"x509", kAnn.id}}));
}

TEST(Addresses, RangesAreComparedBitByBit) {
  EXPECT_TRUE(FromAddress("10.1.2.3", "10.1.2.3"));
  EXPECT_FALSE(FromAddress("10.1.2.4", "10.1.2.3"));
  EXPECT_TRUE(FromAddress("10.1.2.4", "10.1.2.3/29"));
  EXPECT_FALSE(FromAddress("10.1.2.8", "10.1.2.3/29"));
  EXPECT_TRUE(FromAddress("10.1.255.255", "10.1.0.0/16"));
  EXPECT_FALSE(FromAddress("10.2.0.0", "10.1.0.0/16"));
  EXPECT_TRUE(FromAddress("200.1.1.1", "1.2.3.4/0"));
  EXPECT_TRUE(FromAddress("2001:db8::1", "2001:db8::/32"));
  EXPECT_FALSE(FromAddress("2001:db9::1", "2001:db8::/32"));
  EXPECT_TRUE(FromAddress("0:0:0:0:0:0:0:1", "::1"));
}

TEST(Addresses, TheFamiliesDoNotMeet) {
  EXPECT_FALSE(FromAddress("::1", "0.0.0.0/0"));
  EXPECT_FALSE(FromAddress("127.0.0.1", "::/0"));
}

TEST(Addresses, WhatIsNoRangeMatchesNothing) {
  for (const char* range : {"", "/", "10.0.0", "10.0.0.1/", "10.0.0.1/33", "10.0.0.1/-1",
                            "10.0.0.1/8x", "::1/129", "host", "10.0.0.1 "}) {
    EXPECT_FALSE(IsAddressRange(range)) << range;
    EXPECT_FALSE(AddressIsWithin("10.0.0.1", range)) << range;
  }
  EXPECT_FALSE(AddressIsWithin("nobody", "0.0.0.0/0"));
}

TEST(Resolve, RefusesWhatNamesNobody) {
  const std::vector<Identity> nobody = {
      {"", ""},         {"world", ""},       {"world", "ann"}, {"digest", "ann"},
      {"digest", ":x"}, {"digest", "a:b:c"}, {"digest", ""},   {"ip", "localhost"},
      {"x509", ""},     {"sasl", "ann"},     {"super", ""},    {"auth", ""},
  };
  for (const Identity& identity : nobody) {
    Acl out;
    EXPECT_EQ(Resolve(Granting(model::kRead, identity), {}, &out).reason,
              model::Reason::kInvalidAcl)
        << identity.scheme << ":" << identity.id;
  }
}

// ZooKeeper's clients keep nodes from everybody with an entry that grants nothing.
TEST(Resolve, KeepsAnyPermissions) {
  Acl out;
  for (const uint32_t permissions : {0u, model::kAllPermissions + 1u, ~0u}) {
    EXPECT_TRUE(Resolve(Granting(permissions, kAnyone), {}, &out).ok());
    EXPECT_EQ(out, Granting(permissions, kAnyone));
    EXPECT_EQ(Allows(out, model::kAllPermissions, {}), permissions == ~0u) << permissions;
  }
  EXPECT_FALSE(Resolve({}, {}, &out).ok());
}

TEST(Resolve, AuthIsEverybodyThatTheCallerHasAuthenticatedAs) {
  const Identities caller = {kAnyone, {"ip", "10.0.0.1"}, kAnn, {"x509", "CN=ann"}};
  Acl out;
  ASSERT_TRUE(
      Resolve({{model::kRead, kBob}, {model::kWrite, {"auth", "ignored"}}}, caller, &out).ok());
  EXPECT_EQ(
      out, (Acl{{model::kRead, kBob}, {model::kWrite, kAnn}, {model::kWrite, {"x509", "CN=ann"}}}));
  EXPECT_FALSE(
      Resolve(Granting(model::kRead, {"auth", ""}), {kAnyone, {"ip", "10.0.0.1"}}, &out).ok());
}

TEST(Resolve, DropsRepeatsOnly) {
  Acl out;
  ASSERT_TRUE(
      Resolve({{model::kRead, kAnn}, {model::kRead, kAnn}, {model::kWrite, kAnn}}, {}, &out).ok());
  EXPECT_EQ(out, (Acl{{model::kRead, kAnn}, {model::kWrite, kAnn}}));
  // What auth stands for may be named twice, as in ZooKeeper.
  ASSERT_TRUE(Resolve({{model::kRead, {"auth", ""}}, {model::kRead, kAnn}}, {kAnn}, &out).ok());
  EXPECT_EQ(out, (Acl{{model::kRead, kAnn}, {model::kRead, kAnn}}));
}

TEST(Resolve, IsBounded) {
  Acl many, out;
  for (size_t i = 0; i <= model::kAclEntriesMax; ++i) {
    many.push_back({model::kRead, {"digest", std::to_string(i) + ":x"}});
  }
  EXPECT_FALSE(Resolve(many, {}, &out).ok());
  many.pop_back();
  EXPECT_TRUE(Resolve(many, {}, &out).ok());
  many.back().identity.id += std::string(model::kAclBytesMax, 'x');
  EXPECT_FALSE(Resolve(many, {}, &out).ok());
}

TEST(ShownTo, HidesHashesAlone) {
  const Acl acl = {
      {model::kRead, kAnn}, {model::kRead, kAnyone}, {model::kRead, {"ip", "10.0.0.1"}}};
  const Acl masked = ShownTo({kBob}, acl);
  EXPECT_EQ(masked[0].identity, (Identity{"digest", "ann:x"}));
  EXPECT_EQ(masked[1], acl[1]);
  EXPECT_EQ(masked[2], acl[2]);
  EXPECT_EQ(ShownTo({{"super", ""}}, acl), acl);
  EXPECT_EQ(ShownTo({kBob}, {{model::kAdmin, kBob}}), (Acl{{model::kAdmin, kBob}}));
}

// The example of ZooKeeper's documentation of the superuser.
TEST(Digest, IsZooKeepers) {
  EXPECT_EQ(DigestOf("super:test"), "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
}

TEST(Digest, Sha256IsSha256) {
  EXPECT_EQ(absl::BytesToHexString(Sha256("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace pando::acl

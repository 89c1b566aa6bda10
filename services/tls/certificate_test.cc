#include "tls/certificate.h"

#include <fstream>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pando::tls {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Pem(const std::string& name) {
  std::ifstream file(std::string(PANDO_TESTDATA "/") + name);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

class VerifyClientTest : public testing::Test {
 protected:
  VerifyClientTest() { now_ = {DescribeFirst(Pem("alice.crt"))->begins.ms + 1000}; }

  // What is wrong with `leaf`, sent with `others`; "" if nothing is.
  std::string Verify(const std::string& leaf, const std::string& others,
                     const std::string& trusted = "root.crt") {
    const auto trust = ReadTrust(Pem(trusted));
    EXPECT_TRUE(trust.ok()) << trust.status();
    return std::string(VerifyClient(leaf, others, trust->get(), now_).message());
  }

  base::WallTime now_;
};

TEST(Certificate, SaysWhoseItIs) {
  const auto service = DescribeFirst(Pem("service.crt"));
  ASSERT_TRUE(service.ok()) << service.status();
  EXPECT_EQ(service->subject, "CN=service,O=Test");
  EXPECT_EQ(service->issuer, "CN=root,O=Test");
  EXPECT_THAT(service->names,
              ElementsAre("pando-0.pando.svc", "*.pando.svc", "10.1.2.3", "fd00::7"));
  EXPECT_GT(service->ends.ms - service->begins.ms, int64_t{99} * 365 * 24 * 3600 * 1000);
}

TEST(Certificate, IsForItsNamesOnly) {
  const std::string pem = Pem("service.crt");
  for (const char* host : {"pando-0.pando.svc", "pando-7.pando.svc", "PANDO-0.pando.svc",
                           "10.1.2.3", "fd00::7", "fd00:0::7"}) {
    EXPECT_TRUE(IsFor(pem, host)) << host;
  }
  for (const char* host : {"", "service", "pando.svc", "a.b.pando.svc", "10.1.2.4", "fd00::8",
                           "pando-0.pando.svc.evil"}) {
    EXPECT_FALSE(IsFor(pem, host)) << host;
  }
  EXPECT_FALSE(IsFor("no certificate", "pando-0.pando.svc"));
}

TEST(Certificate, TimesAreWrittenInUtc) {
  EXPECT_EQ(TimeText({int64_t{1'777'627'800} * 1000}), "2026-05-01T09:30:00Z");
}

TEST_F(VerifyClientTest, AChainToATrustedCaIsGood) {
  EXPECT_EQ(Verify(Pem("alice.crt"), Pem("issuing.crt")), "");
  // The trusted CA may be sent, too, and so may the leaf.
  EXPECT_EQ(Verify(Pem("alice.crt"), Pem("alice.crt") + Pem("issuing.crt") + Pem("root.crt")), "");
  EXPECT_EQ(Verify(Pem("alice.crt"), "", "issuing.crt"), "");
}

TEST_F(VerifyClientTest, AMissingLinkIsNamed) {
  EXPECT_EQ(Verify(Pem("alice.crt"), ""),
            "the certificate of \"CN=alice,O=Test\" is signed by \"CN=issuing,O=Test\", which is "
            "none of the trusted CAs");
}

TEST_F(VerifyClientTest, TheTrustedCaBesideAStrangersCertificateProvesNothing) {
  EXPECT_THAT(Verify(Pem("stranger.crt"), Pem("root.crt")), HasSubstr("CN=stranger"));
  EXPECT_THAT(Verify(Pem("stranger.crt"), Pem("issuing.crt") + Pem("alice.crt")),
              HasSubstr("none of the trusted CAs"));
  EXPECT_THAT(Verify(Pem("other.crt"), Pem("root.crt")), HasSubstr("none of the trusted CAs"));
}

TEST_F(VerifyClientTest, ItsTimeIsTheCallers) {
  const auto alice = DescribeFirst(Pem("alice.crt"));
  now_ = {alice->ends.ms + 1000};
  EXPECT_THAT(Verify(Pem("alice.crt"), "", "issuing.crt"), HasSubstr("has expired at 2"));
  now_ = {alice->begins.ms - 1000};
  EXPECT_THAT(Verify(Pem("alice.crt"), "", "issuing.crt"), HasSubstr("is not valid before 2"));
}

TEST_F(VerifyClientTest, ACertificateForServersIsNone) {
  EXPECT_THAT(Verify(Pem("service.crt"), ""), HasSubstr("is not for TLS clients"));
}

TEST_F(VerifyClientTest, WhatCannotBeReadIsRefused) {
  EXPECT_THAT(Verify("nonsense", ""), HasSubstr("no PEM certificate"));
  EXPECT_THAT(Verify("", Pem("root.crt")), HasSubstr("no PEM certificate"));
}

}  // namespace
}  // namespace pando::tls

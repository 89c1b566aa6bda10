#include "pando/v1/tree.grpc.pb.h"
#include "world.h"

namespace pando::client {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

using Tlses = World;

// By OpenSSL and by BoringSSL.
constexpr char kNotTrusted[] = "certificate verify failed|CERTIFICATE_VERIFY_FAILED";

Tls Trusting(const nlohmann::json& server, const std::string& authority) {
  return {.ca = server.at(authority)};
}

Tls Mutual(const nlohmann::json& server) {
  Tls tls = Trusting(server, "ca");
  tls.certificate = server.at("certificate");
  tls.key = server.at("key");
  return tls;
}

void IsRefused(const nlohmann::json& server, std::optional<Tls> tls, const std::string& why) {
  Takes(seconds(1), milliseconds(1500), [&] {
    const auto session = Session::Connect({.endpoints = {server.at("endpoint")},
                                           .connect_timeout = seconds(1),
                                           .attempt_timeout = milliseconds(500),
                                           .tls = std::move(tls)});
    ASSERT_THAT(session, FailedWith(Reason::kNoServer));
    EXPECT_THAT(std::string(session.status().message()), ContainsRegex(why));
  });
}

TEST_F(Tlses, Tls) {
  const nlohmann::json server = Ask("tls");
  const auto session =
      World::Connect({.endpoints = {server.at("endpoint")}, .tls = Mutual(server)});
  const v1::WhoAmIResponse me =
      Must(session->Call(&v1::TreeService::Stub::PrepareAsyncWhoAmI, v1::WhoAmIRequest()));
  EXPECT_THAT(me.ShortDebugString(), HasSubstr("x509"));
  // The server shuts the connection, and only its log says why.
  IsRefused(server, Trusting(server, "ca"), "no session within 1000 ms");
  IsRefused(server, std::nullopt, "no session within 1000 ms");
  IsRefused(server, Trusting(server, "other_ca"), kNotTrusted);
  const nlohmann::json expired = Ask("tls expired");
  IsRefused(expired, Mutual(expired), kNotTrusted);
}

TEST_F(Tlses, ACertificateGoesWithItsKey) {
  EXPECT_THAT(Session::Connect({.endpoints = endpoints(), .tls = Tls{.certificate = "x"}}),
              FailedWith(Reason::kInvalidArgument));
}

}  // namespace
}  // namespace pando::client

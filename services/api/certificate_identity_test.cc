#include "api/certificate_identity.h"

#include <grpc/grpc_security_constants.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "model/limits.h"

namespace pando::api {
namespace {

// What gRPC knows of a connection.
class Connection : public grpc::AuthContext {
 public:
  using Properties = std::multimap<std::string, std::string>;
  explicit Connection(Properties properties) : properties_(std::move(properties)) {}

  bool IsPeerAuthenticated() const override { return false; }
  std::vector<grpc::string_ref> GetPeerIdentity() const override { return {}; }
  std::string GetPeerIdentityPropertyName() const override { return {}; }
  std::vector<grpc::string_ref> FindPropertyValues(const std::string& name) const override {
    std::vector<grpc::string_ref> values;
    const auto [begin, end] = properties_.equal_range(name);
    for (auto it = begin; it != end; ++it) values.emplace_back(it->second);
    return values;
  }
  grpc::AuthPropertyIterator begin() const override { return Nowhere(); }
  grpc::AuthPropertyIterator end() const override { return Nowhere(); }
  void AddProperty(const std::string&, const grpc::string_ref&) override {}
  bool SetPeerIdentityPropertyName(const std::string&) override { return false; }

 private:
  struct Nowhere : grpc::AuthPropertyIterator {};

  const Properties properties_;
};

std::string IdOf(const std::string& subject) {
  const Connection::Properties properties = {{GRPC_X509_SUBJECT_PROPERTY_NAME, subject}};
  const auto identity = CertificateIdentity(Connection(properties));
  return identity ? identity->scheme + ":" + identity->id : "none";
}

TEST(CertificateIdentity, IsTheSubject) {
  EXPECT_EQ(IdOf("CN=alice,O=Example"), "x509:CN=alice,O=Example");
}

TEST(CertificateIdentity, LettersBeyondAsciiAreThemselves) {
  EXPECT_EQ(IdOf("CN=Ren\\C3\\A9e,O=Z"),
            "x509:CN=Ren\xc3\xa9"
            "e,O=Z");
  // What RFC 2253 escapes stays so: one name is not to be taken for another.
  EXPECT_EQ(IdOf("CN=a\\,O=b"), "x509:CN=a\\,O=b");
  EXPECT_EQ(IdOf("CN=a\\\\C3\\A9"), "x509:CN=a\\\\C3\xa9");
  EXPECT_EQ(IdOf("CN=a\\0D"), "x509:CN=a\\0D");
  EXPECT_EQ(IdOf("CN=a\\C"), "x509:CN=a\\C");
}

TEST(CertificateIdentity, WithoutACertificateThereIsNone) {
  EXPECT_FALSE(CertificateIdentity(Connection(Connection::Properties())));
  const Connection::Properties no_subject = {{GRPC_X509_CN_PROPERTY_NAME, "alice"}};
  EXPECT_FALSE(CertificateIdentity(Connection(no_subject)));
  EXPECT_EQ(IdOf(""), "none");
  EXPECT_NE(IdOf(std::string(model::kIdentityBytesMax, 'x')), "none");
  EXPECT_EQ(IdOf(std::string(model::kIdentityBytesMax + 1, 'x')), "none");
}

}  // namespace
}  // namespace pando::api

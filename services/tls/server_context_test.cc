#include "tls/server_context.h"

#include <openssl/err.h>

#include <fstream>
#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace pando::tls {
namespace {

using testing::HasSubstr;

std::string Pem(const std::string& name) {
  std::ifstream file(std::string(PANDO_TESTDATA "/") + name);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << name;
  return text.str();
}

// A server that trusts `ca`, and a client, over a pipe of memory.
class ServerContextTest : public testing::Test {
 protected:
  void Serve(const std::string& ca) {
    Material material;
    material.certificate_pem = Pem("service.crt");
    material.key_pem = Pem("service.key");
    material.ca_pem = ca;
    context_ = MakeServerContext(material);
    client_context_.reset(SSL_CTX_new(TLS_client_method()));
  }
  // The client has this certificate, and sends `others` with it.
  void Show(const std::string& name, const std::string& others = "") {
    const auto certificates = ReadCertificates(Pem(name + ".crt") + others);
    const auto key = ReadPrivateKey(Pem(name + ".key"));
    ASSERT_EQ(SSL_CTX_use_certificate(client_context_.get(), certificates->front().get()), 1);
    ASSERT_EQ(SSL_CTX_use_PrivateKey(client_context_.get(), key->get()), 1);
    for (size_t i = 1; i < certificates->size(); ++i) {
      ASSERT_EQ(SSL_CTX_add1_chain_cert(client_context_.get(), (*certificates)[i].get()), 1);
    }
  }
  // Whether the server is content.
  bool Shake() {
    server_.reset(SSL_new(context_.get()));
    client_.reset(SSL_new(client_context_.get()));
    BIO* near = nullptr;
    BIO* far = nullptr;
    EXPECT_EQ(BIO_new_bio_pair(&near, 0, &far, 0), 1);
    SSL_set_bio(server_.get(), near, near);
    SSL_set_bio(client_.get(), far, far);
    bool shaken = false;
    for (int turn = 0; turn < 6; ++turn) {
      ERR_clear_error();
      SSL_connect(client_.get());
      ERR_clear_error();
      shaken = SSL_accept(server_.get()) == 1;
    }
    ERR_clear_error();
    return shaken;
  }
  // What the client hears in the end.
  std::string Heard() {
    ERR_clear_error();
    char byte = 0;
    SSL_read(client_.get(), &byte, 1);
    return TakeError();
  }

  Context context_;
  Context client_context_;
  Connection server_;
  Connection client_;
};

TEST_F(ServerContextTest, AClientOfTheCaIsLetIn) {
  Serve(Pem("root.crt"));
  Show("alice", Pem("issuing.crt"));
  EXPECT_TRUE(Shake());
  EXPECT_EQ(SubjectOf(server_.get()), "CN=alice,O=Test");
  EXPECT_EQ(RefusalOf(server_.get()), "");
}

TEST_F(ServerContextTest, WithoutACaNobodyIsAsked) {
  Serve("");
  Show("alice");
  EXPECT_TRUE(Shake());
  EXPECT_EQ(SubjectOf(server_.get()), std::nullopt);
}

TEST_F(ServerContextTest, WhoShowsNothingIsToldSo) {
  Serve(Pem("root.crt"));
  EXPECT_FALSE(Shake());
  EXPECT_EQ(RefusalOf(server_.get()), "");
  EXPECT_THAT(Heard(), HasSubstr("certificate required"));
}

TEST_F(ServerContextTest, BothSidesHearWhatIsWrongWithACertificate) {
  Serve(Pem("root.crt"));
  Show("alice");
  EXPECT_FALSE(Shake());
  EXPECT_EQ(RefusalOf(server_.get()),
            "the certificate of \"CN=alice,O=Test\" is signed by \"CN=issuing,O=Test\", which is "
            "none of the trusted CAs");
  EXPECT_THAT(Heard(), HasSubstr("unknown ca"));
  Show("service");
  EXPECT_FALSE(Shake());
  EXPECT_THAT(RefusalOf(server_.get()), HasSubstr("is not for TLS clients"));
}

TEST_F(ServerContextTest, TheTrustedCaBesideAStrangersCertificateProvesNothing) {
  Serve(Pem("other.crt"));
  Show("alice", Pem("issuing.crt") + Pem("other.crt"));
  EXPECT_FALSE(Shake());
  EXPECT_THAT(RefusalOf(server_.get()), HasSubstr("none of the trusted CAs"));
}

TEST_F(ServerContextTest, NoSessionIsResumed) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Serve("");
    SSL_CTX_set_max_proto_version(client_context_.get(), version);
    EXPECT_TRUE(Shake());
    Heard();
    EXPECT_FALSE(SSL_SESSION_is_resumable(SSL_get0_session(client_.get()))) << version;
  }
}

TEST_F(ServerContextTest, TlsFrom12On) {
  Serve("");
  SSL_CTX_set_cipher_list(client_context_.get(), "ALL:@SECLEVEL=0");
  SSL_CTX_set_max_proto_version(client_context_.get(), TLS1_1_VERSION);
  EXPECT_FALSE(Shake());
}

}  // namespace
}  // namespace pando::tls

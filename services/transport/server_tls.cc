#include "transport/server_tls.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_certificate_verifier.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace pando::transport {
namespace {

using grpc::experimental::TlsCustomVerificationCheckRequest;

// Between gRPC's looks at the file in memory.
constexpr unsigned int kRefreshSeconds = 1;

// Where client certificates are judged: so many connections less one shake hands at once, and are
// known. Each costs a context of OpenSSL's.
constexpr size_t kDoors = 9;

// The certificates before the key: whoever reads the ones passes over the other.
std::string PairOf(const tls::Material& material) {
  return material.certificate_pem + "\n" + material.key_pem;
}

// Called after the handshake, and before anything else of the connection is read.
class ClientVerifier : public grpc::experimental::ExternalCertificateVerifier {
 public:
  ClientVerifier(const tls::Watcher* watcher, std::function<base::WallTime()> now,
                 net::Refusals* refusals, Handshakes* handshakes, size_t door)
      : watcher_(watcher),
        now_(std::move(now)),
        refusals_(refusals),
        handshakes_(handshakes),
        door_(door) {}

  bool Verify(TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* status) override {
    *status = Judge(*request, handshakes_->Judge(door_));
    return true;
  }
  void Cancel(TlsCustomVerificationCheckRequest*) override {}

 private:
  grpc::Status Judge(const TlsCustomVerificationCheckRequest& request, const std::string& caller) {
    const grpc::string_ref leaf = request.peer_cert();
    if (leaf.empty()) {
      return Refuse(net::Refusals::Reason::kNoCertificate, caller,
                    "it shows no certificate, and this port demands one of a trusted CA");
    }
    const std::shared_ptr<const tls::Material> material = watcher_->current();
    const absl::StatusOr<tls::X509Store> trust = tls::ReadTrust(material->ca_pem);
    CHECK(trust.ok());  // as it was when it was loaded
    // On this side it is without the leaf.
    const grpc::string_ref others = request.peer_cert_full_chain();
    const absl::Status verified = tls::VerifyClient(
        {leaf.data(), leaf.size()}, {others.data(), others.size()}, trust->get(), now_());
    if (verified.ok()) return grpc::Status::OK;
    return Refuse(net::Refusals::Reason::kCertificate, caller, std::string(verified.message()));
  }

  grpc::Status Refuse(net::Refusals::Reason reason, const std::string& caller,
                      const std::string& why) {
    refusals_->Tell(reason, caller, why);
    return {grpc::StatusCode::UNAUTHENTICATED, why};
  }

  const tls::Watcher* const watcher_;
  const std::function<base::WallTime()> now_;
  net::Refusals* const refusals_;
  Handshakes* const handshakes_;
  const size_t door_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ServerTls>> ServerTls::Start(Options options) {
  CHECK(!options.files.certificate.empty());
  CHECK(options.refusals != nullptr);
  const bool judges = !options.files.ca.empty();
  std::unique_ptr<ServerTls> made(new ServerTls(judges ? kDoors : 1));
  // Made before the watcher, whose thread writes to it.
  absl::StatusOr<std::unique_ptr<MemoryFile>> pair = MemoryFile::Create("");
  if (!pair.ok()) return pair.status();
  made->pair_ = *std::move(pair);
  absl::StatusOr<std::unique_ptr<tls::Watcher>> watcher =
      tls::Watcher::Start({.name = options.refusals->port(),
                           .files = options.files,
                           .now = options.now,
                           .on_change = [file = made->pair_.get()](const tls::Material& material) {
                             const absl::Status replaced = file->Replace(PairOf(material));
                             if (replaced.ok()) return;
                             base::Log(base::Severity::kError, "certificates cannot be handed on",
                                       {{"error", std::string(replaced.message())}});
                           }});
  if (!watcher.ok()) return watcher.status();
  made->watcher_ = *std::move(watcher);
  PANDO_RETURN_IF_ERROR(made->pair_->Replace(PairOf(*made->watcher_->current())));

  const std::string path = made->pair_->path();
  const auto provider = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      path, path, kRefreshSeconds);
  for (size_t door = 0; door < made->handshakes_.doors(); ++door) {
    grpc::experimental::TlsServerCredentialsOptions credentials(provider);
    credentials.watch_identity_key_cert_pairs();
    if (judges) {
      credentials.set_cert_request_type(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_BUT_DONT_VERIFY);
      credentials.set_certificate_verifier(
          grpc::experimental::ExternalCertificateVerifier::Create<ClientVerifier>(
              made->watcher_.get(), options.now, options.refusals, &made->handshakes_, door));
    } else {
      credentials.set_cert_request_type(GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    }
    made->credentials_.push_back(grpc::experimental::TlsServerCredentials(credentials));
    CHECK(made->credentials_.back() != nullptr);
  }
  return made;
}

}  // namespace pando::transport

#include "peer/member_names.h"

#include <grpc/grpc_security_constants.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/host_port.h"
#include "tls/certificate.h"

namespace pando::peer {

void MemberNames::Set(std::vector<io::PeerAddress> members) {
  base::MutexLock lock(&mutex_);
  members_ = std::move(members);
}

std::string MemberNames::WhyNot(const grpc::AuthContext& connection,
                                const io::PeerHello& hello) const {
  const std::vector<grpc::string_ref> shown =
      connection.FindPropertyValues(GRPC_X509_PEM_CERT_PROPERTY_NAME);
  if (shown.size() != 1) return "it shows no certificate";
  const std::string pem(shown.front().data(), shown.front().size());
  const absl::StatusOr<tls::Certificate> certificate = tls::DescribeFirst(pem);
  if (!certificate.ok()) return std::string(certificate.status().message());
  std::vector<std::string> hosts = {base::SplitHostPort(hello.self.peer_address).host};
  {
    base::MutexLock lock(&mutex_);
    for (const io::PeerAddress& member : members_) {
      if (member.id && member.id == hello.id) {
        hosts.push_back(base::SplitHostPort(member.address).host);
      }
    }
  }
  for (const std::string& host : hosts) {
    if (tls::IsFor(pem, host)) continue;
    return absl::StrCat(
        "the certificate of \"", certificate->subject, "\" is for ",
        certificate->names.empty() ? "no host" : absl::StrJoin(certificate->names, ", "),
        ", and server ", hello.id.value(), " is ", host);
  }
  return {};
}

}  // namespace pando::peer

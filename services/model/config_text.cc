#include "model/config_text.h"

#include "absl/strings/str_cat.h"

namespace pando::model {

std::string ConfigText(const Membership& membership, Revision version) {
  std::string text;
  for (const Member& member : membership.members) {
    const std::string& peer = member.peer_address;
    const size_t colon = peer.rfind(':');
    const std::string port = colon == std::string::npos ? std::string() : peer.substr(colon);
    const bool votes = member.role == Member::Role::kVoter;
    absl::StrAppend(&text, "server.", member.id.value(), "=", peer, port,
                    votes ? ":participant" : ":observer");
    if (!member.zookeeper_address.empty()) absl::StrAppend(&text, ";", member.zookeeper_address);
    absl::StrAppend(&text, "\n");
  }
  absl::StrAppend(&text, "version=", absl::Hex(version.value()));
  return text;
}

}  // namespace pando::model

#include "recipe/queue.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status.h"
#include "model/limits.h"
#include "model/path.h"

namespace pando::recipe {
namespace {

using model::Compare;
using model::Reason;

constexpr std::string_view kPrefix = "session-";

Compare OwnedBy(const std::string& path, model::SessionId session) {
  return {.path = path,
          .subject = Compare::Subject::kOwner,
          .number = static_cast<int64_t>(session.value())};
}

}  // namespace

std::string PlacePath(std::string_view name, model::SessionId session) {
  return model::JoinPath(name, absl::StrFormat("%s%016x", base::View(kPrefix), session.value()));
}

model::Transaction Join(std::string_view name, model::SessionId session,
                        const model::NodeBytes& data, const model::Acl& acl) {
  const std::string path = PlacePath(name, session);
  model::Transaction join;
  join.compares = {OwnedBy(path, session)};
  join.then_operations = {model::Set{.path = path, .data = data}};
  join.else_operations = {model::Create{.path = path,
                                        .data = data,
                                        .kind = model::NodeKind::kEphemeral,
                                        .acl = acl,
                                        .create_parents = true}};
  return join;
}

model::Stat JoinedStat(const model::TransactionResult& result) {
  CHECK(result.results.size() == 1);
  return result.results[0].stat;
}

model::Transaction Leave(const std::string& path, model::SessionId session, int64_t version) {
  model::Transaction leave;
  leave.compares = {OwnedBy(path, session),
                    {.path = path, .subject = Compare::Subject::kVersion, .number = version}};
  leave.then_operations = {model::Delete{.path = path}};
  return leave;
}

model::Transaction Release(const std::string& path, model::SessionId session) {
  model::Transaction release;
  release.compares = {OwnedBy(path, session)};
  release.then_operations = {model::Delete{.path = path}};
  // Fails with NO_NODE where there is none.
  release.else_operations = {model::Get{.path = path, .without_data = true}};
  return release;
}

model::Error ReleasedError(const std::string& path, const model::Reply& reply) {
  if (reply.error.reason == Reason::kNoNode) return {};
  if (!reply.ok()) return reply.error;
  const auto* result = std::get_if<model::TransactionResult>(&reply.result);
  CHECK(result != nullptr);
  if (result->compared_true) return {};
  return {.reason = Reason::kPermissionDenied,
          .path = path,
          .detail = "the place is another session's"};
}

// --- Listing ----------------------------------------------------------------------------------

Listing::Listing(std::string name, bool with_data)
    : name_(std::move(name)), with_data_(with_data) {}

model::List Listing::NextPage() const {
  return {.path = name_,
          .page_size = model::kListPageMax,
          .after = after_,
          .prefix = std::string(kPrefix),
          .with_stat = true,
          .with_data = with_data_};
}

bool Listing::IsError(const model::Reply& reply) {
  return !reply.ok() && reply.error.reason != Reason::kNoNode;
}

bool Listing::Add(model::Reply reply) {
  CHECK(!IsError(reply));
  if (reply.error.reason == Reason::kNoNode) return true;
  auto* page = std::get_if<model::ListResult>(&reply.result);
  CHECK(page != nullptr);
  for (model::ListResult::Child& child : page->children) {
    // Nodes that are nobody's are no places, whatever they are called; nor is what may not be read.
    if (!child.stat || !child.stat->ephemeral_owner) continue;
    places_.push_back({.session = child.stat->ephemeral_owner,
                       .path = model::JoinPath(name_, child.name),
                       .token = child.stat->create_revision,
                       .since = child.stat->ctime,
                       .data = std::move(child.data)});
  }
  after_ = std::move(page->next_after);
  return after_.empty();
}

std::vector<Place> Listing::TakePlaces() {
  std::sort(places_.begin(), places_.end(),
            [](const Place& a, const Place& b) { return a.token < b.token; });
  return std::exchange(places_, {});
}

}  // namespace pando::recipe

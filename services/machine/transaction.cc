// Transactions: compares, then all of one branch or nothing.
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "machine/execution.h"
#include "model/limits.h"
#include "model/usage.h"

namespace pando::machine {
namespace {

using model::Compare;
using model::Error;
using model::Reason;

template <class T>
bool Relate(Compare::Relation relation, const T& actual, const T& wanted) {
  switch (relation) {
    case Compare::Relation::kEqual:
      return actual == wanted;
    case Compare::Relation::kNotEqual:
      return actual != wanted;
    case Compare::Relation::kLess:
      return actual < wanted;
    case Compare::Relation::kGreater:
      return actual > wanted;
  }
  return false;
}

int64_t NumberOf(Compare::Subject subject, const tree::Node& node) {
  const model::Stat stat = node.stat();
  switch (subject) {
    case Compare::Subject::kVersion:
      return stat.version;
    case Compare::Subject::kCreateRevision:
      return static_cast<int64_t>(stat.create_revision.value());
    case Compare::Subject::kModifyRevision:
      return static_cast<int64_t>(stat.modify_revision.value());
    case Compare::Subject::kChildrenCount:
      return stat.children_count;
    case Compare::Subject::kOwner:
      return static_cast<int64_t>(stat.ephemeral_owner.value());
    case Compare::Subject::kExists:
    case Compare::Subject::kData:
      break;
  }
  return 1;
}

}  // namespace

// Of a node that is not there nothing can be told but that.
Error Execution::CheckCompare(const Compare& compare) const {
  if (Error error = CheckPath(compare.path); !error.ok()) return error;
  const tree::Node* node = state_->tree().Find(compare.path);
  return node == nullptr ? Error() : Permit(acl::Needs(compare), compare.path, *node);
}

bool Execution::Holds(const Compare& compare) const {
  const tree::Node* node = state_->tree().Find(compare.path);
  if (compare.subject == Compare::Subject::kExists) {
    return Relate<int64_t>(compare.relation, node != nullptr, compare.number);
  }
  if (node == nullptr) return false;
  if (compare.subject == Compare::Subject::kData) {
    const codec::NodeRecord record = node->record();
    std::optional<std::string_view> wanted;
    if (compare.bytes) wanted = *compare.bytes;
    return Relate(compare.relation, record.data, wanted);
  }
  return Relate(compare.relation, NumberOf(compare.subject, *node), compare.number);
}

// The error of the operation that fails, if one does.
std::optional<Error> Execution::RunOperations(const std::vector<model::Operation>& operations,
                                              model::TransactionResult* result) {
  size_t read_bytes = 0;
  for (uint32_t i = 0; i < operations.size(); ++i) {
    model::OperationResult done =
        std::visit([this](const auto& operation) { return Apply(operation); }, operations[i]);
    read_bytes += model::DataBytes(done.data);
    if (done.error.ok() && read_bytes > model::kTransactReadBytesMax) {
      done.error = {.reason = Reason::kTooLarge,
                    .detail = absl::StrCat("a transaction reads at most ",
                                           model::kTransactReadBytesMax, " bytes")};
    }
    Error error = done.error;
    result->results.push_back(std::move(done));
    if (error.ok()) continue;
    result->failed_operation = i;
    return error;
  }
  return std::nullopt;
}

model::Reply Execution::Do(const model::Transaction& transaction) {
  const auto failure = [](Error error) { return model::Reply::Failure(std::move(error)); };
  if (transaction.compares.size() > model::kTransactComparesMax ||
      transaction.then_operations.size() > model::kTransactOperationsMax ||
      transaction.else_operations.size() > model::kTransactOperationsMax) {
    return failure({.reason = Reason::kTooLarge,
                    .detail = absl::StrCat("a transaction has at most ",
                                           model::kTransactComparesMax, " compares and ",
                                           model::kTransactOperationsMax, " operations a branch")});
  }
  model::TransactionResult result;
  result.compared_true = true;
  for (const Compare& compare : transaction.compares) {
    if (Error error = CheckCompare(compare); !error.ok()) return failure(std::move(error));
    result.compared_true = result.compared_true && Holds(compare);
  }

  const size_t changes_before = changes_->size();
  state_->Begin();
  const std::vector<model::Operation>& branch =
      result.compared_true ? transaction.then_operations : transaction.else_operations;
  const std::optional<Error> error = RunOperations(branch, &result);
  model::Reply reply;
  if (!error) {
    state_->Commit();
    reply.result = std::move(result);
    return reply;
  }
  state_->Rollback();
  changes_->resize(changes_before);
  // What the operations before it would have given is undone: only their success is told.
  for (model::OperationResult& undone : result.results) {
    undone = {.error = std::move(undone.error)};
  }
  reply.error = *error;
  reply.result = std::move(result);
  return reply;
}

}  // namespace pando::machine

#include "zookeeper/answer.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include "acl/scheme.h"
#include "base/check.h"
#include "jute/encode.h"
#include "zookeeper/errors.h"
#include "zookeeper/opcode.h"

namespace pando::zookeeper {
namespace {

using jute::ErrorCode;
using jute::FrameWriter;
using jute::Opcode;
using model::Reason;
using model::Reply;

std::optional<std::string_view> View(const model::NodeBytes& data) {
  return data ? std::optional<std::string_view>(*data) : std::nullopt;
}

ErrorCode CodeOf(Opcode type, const model::Error& error) {
  // ZooKeeper looks at paths when it writes, and finds nothing when it reads. But for the one thing
  // that `exists` looks for.
  const bool seen = type == Opcode::kExists && error.path.find('\0') != std::string::npos;
  if (error.reason == Reason::kInvalidPath && OnlyReads(type) && !seen) return ErrorCode::kNoNode;
  return zookeeper::CodeOf(error.reason);
}

void WriteOperation(Opcode type, const model::OperationResult& result, FrameWriter* out) {
  switch (type) {
    case Opcode::kCreate:
    case Opcode::kCreateIfNotExists:
      return out->String(result.path);
    case Opcode::kCreate2:
    case Opcode::kCreateContainer:
    case Opcode::kCreateTtl:
      out->String(result.path);
      return out->Stat(result.stat);
    case Opcode::kSetData:
    case Opcode::kSetAcl:
    case Opcode::kExists:
      return out->Stat(result.stat);
    case Opcode::kGetData:
    case Opcode::kReconfig:
      out->Buffer(View(result.data));
      return out->Stat(result.stat);
    default:
      return;  // Delete and Check say nothing
  }
}

void WriteRecord(const Expected& expected, const Reply& reply, FrameWriter* out) {
  switch (expected.type) {
    case Opcode::kGetChildren:
      return out->Strings(std::get<model::NamesResult>(reply.result).names);
    case Opcode::kGetChildren2:
    case Opcode::kFilteredList: {
      const auto& names = std::get<model::NamesResult>(reply.result);
      out->Strings(names.names);
      return out->Stat(names.parent);
    }
    case Opcode::kGetAcl: {
      const auto& acl = std::get<model::AclResult>(reply.result);
      out->Acl(acl.acl);
      return out->Stat(acl.stat);
    }
    case Opcode::kSync:
      return out->String(expected.path);
    case Opcode::kGetEphemerals:
      return out->Strings(std::get<model::NamesResult>(reply.result).names);
    case Opcode::kGetAllChildrenNumber:
      return out->Int(static_cast<int32_t>(std::min<int64_t>(
          std::get<model::CountResult>(reply.result).nodes, std::numeric_limits<int32_t>::max())));
    case Opcode::kAddWatch:
      return out->Int(0);
    default:
      if (const auto* result = std::get_if<model::OperationResult>(&reply.result)) {
        WriteOperation(expected.type, *result, out);
      }
  }
}

// A multi that fails is a success, whose results are errors.
void WriteMulti(const Expected::Parts& parts, const Reply& reply, FrameWriter* out) {
  const auto& transaction = std::get<model::TransactionResult>(reply.result);
  const size_t failed = transaction.failed_operation.value_or(parts.types.size());
  for (size_t i = 0; i < parts.types.size(); ++i) {
    if (reply.ok()) {
      const bool create2 =
          parts.types[i] == Opcode::kCreateContainer || parts.types[i] == Opcode::kCreateTtl;
      const Opcode type = create2 ? Opcode::kCreate2 : parts.types[i];
      out->MultiHeader(type, false, ErrorCode::kOk);
      WriteOperation(type, transaction.results[i], out);
      continue;
    }
    ErrorCode error = i < failed ? ErrorCode::kOk : ErrorCode::kRuntimeInconsistency;
    if (i == failed) {
      const bool here = parts.refused != ErrorCode::kOk && i == parts.refused_at;
      error = here ? parts.refused : CodeOf(parts.types[i], reply.error);
    }
    out->MultiHeader(Opcode::kError, false, error);
    out->Int(static_cast<int32_t>(error));
  }
  out->MultiHeader(Opcode::kError, true, ErrorCode::kSystemError);
}

void WriteMultiRead(const Expected::Parts& parts, FrameWriter* out) {
  CHECK(parts.replies.size() == parts.types.size());
  for (size_t i = 0; i < parts.types.size(); ++i) {
    const Reply& reply = parts.replies[i];
    if (reply.ok()) {
      Expected one;
      one.type = parts.types[i];
      out->MultiHeader(one.type, false, ErrorCode::kOk);
      WriteRecord(one, reply, out);
    } else {
      const ErrorCode error = CodeOf(parts.types[i], reply.error);
      out->MultiHeader(Opcode::kError, false, error);
      out->Int(static_cast<int32_t>(error));
    }
  }
  out->MultiHeader(Opcode::kError, true, ErrorCode::kSystemError);
}

}  // namespace

void AppendAnswer(const Expected& expected, const Reply& reply, int64_t zxid, std::string* out) {
  ErrorCode error = expected.refused;
  const bool parted = expected.type == Opcode::kMulti || expected.type == Opcode::kMultiRead;
  const bool told_by_part = std::holds_alternative<model::TransactionResult>(reply.result) &&
                            std::get<model::TransactionResult>(reply.result).failed_operation;
  if (error == ErrorCode::kOk && !(parted && told_by_part) && expected.type != Opcode::kMultiRead) {
    error = CodeOf(expected.type, reply.error);
  }
  FrameWriter frame(out, {expected.xid, zxid, error});
  if (error != ErrorCode::kOk) return;
  if (expected.type == Opcode::kMulti) {
    WriteMulti(*expected.parts, reply, &frame);
  } else if (expected.type == Opcode::kMultiRead) {
    WriteMultiRead(*expected.parts, &frame);
  } else {
    WriteRecord(expected, reply, &frame);
  }
}

void AppendWhoAmI(const Expected& expected, const std::vector<model::Identity>& identities,
                  int64_t zxid, std::string* out) {
  FrameWriter frame(out, {expected.xid, zxid});
  const auto counts = [](const model::Identity& identity) { return identity != acl::kAnyone; };
  frame.Int(static_cast<int32_t>(std::count_if(identities.begin(), identities.end(), counts)));
  for (const model::Identity& identity : identities) {
    if (!counts(identity)) continue;
    frame.String(identity.scheme);
    // Of a digest only the user: the hash is a credential.
    const bool digest = identity.scheme == acl::kDigestScheme;
    frame.String(digest ? std::string_view(identity.id).substr(0, identity.id.find(':'))
                        : std::string_view(identity.id));
  }
}

}  // namespace pando::zookeeper

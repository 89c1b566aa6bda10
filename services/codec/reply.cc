#include "codec/reply.h"

#include "base/check.h"
#include "base/wire.h"
#include "codec/parts.h"

namespace pando::codec {
namespace {

using base::Reader;
using base::Writer;

enum class Tag : uint8_t { kNone = 0, kOperation = 1, kTransaction = 2, kSession = 3 };

void Write(Writer* w, const model::Error& error) {
  WriteEnum(w, error.reason);
  if (error.ok()) return;
  w->Bytes(error.path);
  w->Bytes(error.detail);
  codec::Write(w, error.expected);
  codec::Write(w, error.actual);
  codec::Write(w, error.oldest);
  w->Bool(error.maybe_applied);
}
void Read(Reader* r, model::Error* error) {
  *error = model::Error();
  error->reason = ReadEnum(r, model::Reason::kOk, model::Reason::kConfigInProgress);
  if (error->ok()) return;
  error->path = ReadString(r);
  error->detail = ReadString(r);
  codec::Read(r, &error->expected);
  codec::Read(r, &error->actual);
  codec::Read(r, &error->oldest);
  error->maybe_applied = r->Bool();
}

void Write(Writer* w, const model::OperationResult& result) {
  Write(w, result.error);
  w->Bytes(result.path);
  codec::Write(w, result.stat);
  w->Signed(result.touched);
  w->Bool(result.existed);
}
void Read(Reader* r, model::OperationResult* result) {
  Read(r, &result->error);
  result->path = ReadString(r);
  codec::Read(r, &result->stat);
  result->touched = r->Signed();
  result->existed = r->Bool();
}

void Write(Writer* w, const model::TransactionResult& result) {
  w->Bool(result.compared_true);
  w->Varint(result.failed_operation ? *result.failed_operation + uint64_t{1} : 0);
  bool data_omitted = result.data_omitted;
  for (const model::OperationResult& operation : result.results) {
    data_omitted = data_omitted || operation.data.has_value();
  }
  w->Bool(data_omitted);
  w->Varint(result.results.size());
  for (const model::OperationResult& operation : result.results) Write(w, operation);
}
void Read(Reader* r, model::TransactionResult* result) {
  result->compared_true = r->Bool();
  const uint64_t failed = r->Varint();
  if (failed > ~uint32_t{0}) r->Fail();
  if (failed > 0) result->failed_operation = static_cast<uint32_t>(failed - 1);
  result->data_omitted = r->Bool();
  const size_t count = r->Count(15);
  for (size_t i = 0; i < count && r->ok(); ++i) Read(r, &result->results.emplace_back());
}

void Write(Writer* w, const model::SessionResult& result) {
  codec::Write(w, result.session);
  codec::Write(w, result.attachment);
  w->Signed(result.timeout_ms);
  w->Signed(result.time_left_ms);
}
void Read(Reader* r, model::SessionResult* result) {
  codec::Read(r, &result->session);
  codec::Read(r, &result->attachment);
  result->timeout_ms = r->Signed();
  result->time_left_ms = r->Signed();
}

}  // namespace

std::string EncodeReply(const model::Reply& reply) {
  std::string bytes;
  Writer w(&bytes);
  codec::Write(&w, reply.revision);
  Write(&w, reply.error);
  if (const auto* operation = std::get_if<model::OperationResult>(&reply.result)) {
    WriteEnum(&w, Tag::kOperation);
    Write(&w, *operation);
  } else if (const auto* transaction = std::get_if<model::TransactionResult>(&reply.result)) {
    WriteEnum(&w, Tag::kTransaction);
    Write(&w, *transaction);
  } else if (const auto* session = std::get_if<model::SessionResult>(&reply.result)) {
    WriteEnum(&w, Tag::kSession);
    Write(&w, *session);
  } else {
    CHECK(std::holds_alternative<std::monostate>(reply.result));
    WriteEnum(&w, Tag::kNone);
  }
  return bytes;
}

bool DecodeReply(std::string_view bytes, model::Reply* reply) {
  Reader r(bytes);
  codec::Read(&r, &reply->revision);
  Read(&r, &reply->error);
  switch (ReadEnum(&r, Tag::kNone, Tag::kSession)) {
    case Tag::kNone:
      reply->result = std::monostate();
      break;
    case Tag::kOperation:
      Read(&r, &reply->result.emplace<model::OperationResult>());
      break;
    case Tag::kTransaction:
      Read(&r, &reply->result.emplace<model::TransactionResult>());
      break;
    case Tag::kSession:
      Read(&r, &reply->result.emplace<model::SessionResult>());
      break;
  }
  return r.done();
}

}  // namespace pando::codec

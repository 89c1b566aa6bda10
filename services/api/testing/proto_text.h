// Messages as text, for tests of what is translated.
#ifndef PANDO_API_TESTING_PROTO_TEXT_H_
#define PANDO_API_TESTING_PROTO_TEXT_H_

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "model/reply.h"

namespace pando::api {

template <class Message>
Message Proto(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

template <class Message>
std::string Text(const Message& message) {
  std::string text;
  google::protobuf::TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  printer.PrintToString(message, &text);
  return text;
}

inline model::Reply ReplyOf(auto result) {
  model::Reply reply;
  reply.revision = model::Revision(42);
  reply.result = std::move(result);
  return reply;
}

// What Shown has to be equal to: `text` in the printer's own form.
template <class Message>
std::string Expected(const std::string& text) {
  return Text(Proto<Message>(text));
}

template <class Message>
std::string Shown(const model::Reply& reply) {
  Message message;
  ToProto(reply, &message);
  return Text(message);
}

}  // namespace pando::api

#endif  // PANDO_API_TESTING_PROTO_TEXT_H_

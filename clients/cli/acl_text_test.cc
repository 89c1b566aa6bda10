#include "cli/acl_text.h"

#include "gtest/gtest.h"

namespace pando::cli {
namespace {

TEST(AclText, WhatIsWrittenIsRead) {
  for (const char* text : {"world:anyone:cdrwa", "digest:ann:7aBcD+/=:rw", "ip:2001:db8::/32:r",
                           "x509:CN=ann,O=Example:a", "auth::cd"}) {
    const absl::StatusOr<model::AclEntry> entry = ParseAclEntry(text);
    ASSERT_TRUE(entry.ok()) << entry.status();
    EXPECT_EQ(AclEntryText(*entry), text);
  }
}

TEST(AclText, LettersHaveNoOrder) {
  const absl::StatusOr<model::AclEntry> entry = ParseAclEntry("world:anyone:awr");
  ASSERT_TRUE(entry.ok());
  EXPECT_EQ(entry->permissions, model::kAdmin | model::kWrite | model::kRead);
  EXPECT_EQ(AclEntryText(*entry), "world:anyone:rwa");
}

TEST(AclText, WhatIsNoEntryIsRefusedByName) {
  for (const char* text : {"", "world", "world:anyone", "world:anyone:", "world:anyone:x",
                           "world:anyone:R", "world:anyone:r w"}) {
    const absl::StatusOr<model::AclEntry> entry = ParseAclEntry(text);
    ASSERT_FALSE(entry.ok()) << text;
    EXPECT_NE(entry.status().message().find(text), absl::string_view::npos);
  }
}

TEST(AclText, EntriesGoThroughTheirMessages) {
  const model::Acl acl = {{model::kRead, {"world", "anyone"}}, {model::kAdmin, {"digest", "a:b"}}};
  AclEntries entries;
  ToProto(acl, &entries);
  EXPECT_EQ(ToModel(entries), acl);
  EXPECT_EQ(AclText(acl), "world:anyone:r digest:a:b:a");
}

}  // namespace
}  // namespace pando::cli

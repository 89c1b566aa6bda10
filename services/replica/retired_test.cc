#include "replica/retired.h"

#include <vector>

#include "gtest/gtest.h"

namespace pando::replica {
namespace {

using model::StorageId;

model::Membership Of(const std::vector<std::pair<uint64_t, uint64_t>>& members) {
  model::Membership membership;
  for (const auto& [id, storage] : members) {
    membership.members.push_back({.id = model::ServerId(id), .storage = StorageId(storage)});
  }
  return membership;
}

TEST(Retired, WhoIsRemovedOrReplacedIsRetired) {
  Retired retired;
  retired.Follow(Of({{1, 11}, {2, 12}, {3, 13}}));
  EXPECT_FALSE(retired.Has(StorageId(13)));
  retired.Follow(Of({{1, 11}, {2, 12}}));
  EXPECT_TRUE(retired.Has(StorageId(13)));
  retired.Follow(Of({{1, 11}, {2, 22}}));
  EXPECT_TRUE(retired.Has(StorageId(12)));
  EXPECT_FALSE(retired.Has(StorageId(22)));
  EXPECT_FALSE(retired.Has(StorageId(11)));
}

TEST(Retired, WhoHasNeverConnectedHasNoStorageToRemember) {
  Retired retired;
  retired.Follow(Of({{1, 11}, {2, 0}}));
  retired.Follow(Of({{1, 11}}));
  EXPECT_FALSE(retired.Has(StorageId()));
}

TEST(Retired, TheOldestIsForgotten) {
  Retired retired;
  for (uint64_t i = 1; i <= Retired::kRemembered + 2; ++i) retired.Follow(Of({{1, i}}));
  EXPECT_FALSE(retired.Has(StorageId(1)));
  EXPECT_TRUE(retired.Has(StorageId(2)));
}

}  // namespace
}  // namespace pando::replica

#include "zookeeper/feed.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace pando::zookeeper {
namespace {

class FeedTest : public testing::Test, public Feed::Reader {
 protected:
  void OnChanges(const model::ChangeBatch& batch) override {
    read_.push_back(absl::StrCat("change ", batch.revision.value()));
  }
  void OnCompletion(io::Completion completion) override {
    read_.push_back(absl::StrCat("reply ", completion.reply.revision.value()));
  }

  static model::StreamBatch Changes(uint64_t revision) {
    auto batch = std::make_shared<model::ChangeBatch>();
    batch->revision = model::Revision(revision);
    return {.revision = batch->revision, .batch = std::move(batch)};
  }
  static model::StreamBatch Mark(uint64_t revision) {
    return {.revision = model::Revision(revision)};
  }
  static io::Completion Reply(uint64_t revision) {
    io::Completion completion;
    completion.reply.revision = model::Revision(revision);
    return completion;
  }
  void Take(std::vector<model::StreamBatch> batches, std::vector<io::Completion> completions,
            std::optional<size_t> lags_after = std::nullopt) {
    Turn turn;
    turn.batches = std::move(batches);
    turn.completions = std::move(completions);
    turn.lags_after = lags_after;
    feed_.Take(std::move(turn));
  }
  std::vector<std::string> Read() { return std::exchange(read_, {}); }

  Feed feed_{this};
  std::vector<std::string> read_;
};

using Lines = std::vector<std::string>;

TEST_F(FeedTest, AnAnswerComesAfterTheChangesThatItShowsAndBeforeThoseThatItDoesNot) {
  Take({Mark(9)}, {});
  Take({Changes(11), Changes(12)}, {Reply(10), Reply(11), Reply(12)});
  EXPECT_EQ(Read(), (Lines{"reply 10", "change 11", "reply 11", "change 12", "reply 12"}));
  EXPECT_EQ(feed_.told(), model::Revision(12));
}

TEST_F(FeedTest, AnAnswerThatWaitedForItsPlaceMayBeOld) {
  Take({Mark(9)}, {});
  Take({Changes(12)}, {Reply(15), Reply(11)});
  EXPECT_EQ(Read(), (Lines{"change 12", "reply 15", "reply 11"}));
}

TEST_F(FeedTest, NothingIsAnsweredBeforeTheStreamHasBegun) {
  Take({}, {Reply(5)});
  EXPECT_EQ(Read(), Lines{});
  EXPECT_FALSE(feed_.live());
  EXPECT_FALSE(feed_.begun());
  Take({Mark(6)}, {Reply(7)});
  EXPECT_EQ(Read(), (Lines{"reply 5", "reply 7"}));
  EXPECT_TRUE(feed_.live());
}

TEST_F(FeedTest, WhileTheStreamLagsAnswersWaitForTheirChanges) {
  Take({Mark(9)}, {});
  Take({Changes(10)}, {Reply(10), Reply(12)}, 1);
  EXPECT_EQ(Read(), (Lines{"change 10", "reply 10"}));
  EXPECT_FALSE(feed_.live());
  EXPECT_TRUE(feed_.begun());
  Take({}, {Reply(13), Reply(10)});  // in the order of their connection, behind the other
  Take({Changes(11)}, {});
  EXPECT_EQ(Read(), (Lines{"change 11"}));
  Take({Changes(13)}, {});
  EXPECT_EQ(Read(), (Lines{"reply 12", "change 13", "reply 13", "reply 10"}));
  Take({}, {Reply(14)});
  EXPECT_EQ(Read(), Lines{});
  Take({Mark(14)}, {Reply(15)});
  EXPECT_EQ(Read(), (Lines{"reply 14", "reply 15"}));
}

TEST_F(FeedTest, AMarkBeforeTheStreamLagsDoesNotHideIt) {
  Take({Mark(9), Changes(10)}, {Reply(12)}, 2);
  EXPECT_EQ(Read(), Lines{"change 10"});
  EXPECT_FALSE(feed_.live());
  Take({Changes(11), Mark(12)}, {});
  EXPECT_EQ(Read(), (Lines{"change 11", "reply 12"}));
  // It may catch up within a turn.
  Take({Changes(13), Mark(15)}, {Reply(16)}, 1);
  EXPECT_EQ(Read(), (Lines{"change 13", "reply 16"}));
  EXPECT_TRUE(feed_.live());
}

TEST_F(FeedTest, AStreamThatIsOpenedBeforeAnyChangeGetsNoMark) {
  Take({Changes(1)}, {Reply(2)});
  EXPECT_EQ(Read(), (Lines{"change 1", "reply 2"}));
  EXPECT_TRUE(feed_.begun());
}

TEST_F(FeedTest, ANewStreamBeginsAnew) {
  Take({Mark(9)}, {});
  feed_.Restart();
  EXPECT_FALSE(feed_.begun());
  Take({}, {Reply(11)});
  EXPECT_EQ(Read(), Lines{});
  Take({Mark(12)}, {});
  EXPECT_EQ(Read(), Lines{"reply 11"});
}

}  // namespace
}  // namespace pando::zookeeper

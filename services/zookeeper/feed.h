// Feed: puts what the core has handed over into one order: every answer after the changes that it
// shows, and before those that it does not. With that a watch that is left when its read is
// answered misses nothing and repeats nothing, and an event always comes before the new data.
//
// While the stream lags, answers wait for the changes that belong before them.
#ifndef PANDO_ZOOKEEPER_FEED_H_
#define PANDO_ZOOKEEPER_FEED_H_

#include <deque>
#include <functional>

#include "io/client.h"
#include "model/change.h"
#include "model/ids.h"
#include "zookeeper/intake.h"

namespace pando::zookeeper {

class Feed {
 public:
  class Reader {
   public:
    virtual ~Reader() = default;
    virtual void OnChanges(const model::ChangeBatch& batch) = 0;
    virtual void OnCompletion(io::Completion completion) = 0;
  };

  explicit Feed(Reader* reader) : reader_(reader) {}

  void Take(Turn turn);
  // Another stream is opened in place of one that has ended.
  void Restart();

  // All changes up to it were given to the reader.
  model::Revision told() const { return told_; }
  // It follows the core; otherwise it has not begun to, or lags.
  bool live() const { return live_; }
  // It follows the core, if late.
  bool begun() const { return begun_; }

 private:
  void Give(io::Completion completion);
  void Take(const model::StreamBatch& batch);
  void Release(model::Revision through);

  Reader* const reader_;
  model::Revision told_;
  bool live_ = false;
  bool begun_ = false;  // with this stream
  std::deque<io::Completion> held_;
};

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_FEED_H_

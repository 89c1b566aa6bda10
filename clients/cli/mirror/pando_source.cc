#include "cli/mirror/pando_source.h"

#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "cli/acl_text.h"
#include "cli/output.h"
#include "cli/pipeline.h"
#include "cli/server_error.h"

namespace pando::cli {
namespace {

constexpr int kPageSize = 10'000;

void PutStat(const v1::Stat& stat, Answer* answer) {
  answer->version = {stat.create_revision(), stat.modify_revision(), stat.acl_version()};
  answer->children_changed = stat.children_revision();
  answer->children_count = stat.children_count();
  answer->ephemeral = stat.ephemeral_owner() != 0;
}

}  // namespace

PandoSource::PandoSource(ConnectionOptions options, std::string top, Doorbell* bell)
    : top_(std::move(top)), bell_(*bell), reads_(options), watch_(std::move(options)) {
  thread_ = std::thread([this] { Watch(); });
}

PandoSource::~PandoSource() {
  stop_.Stop();
  thread_.join();
}

void PandoSource::Watch() {
  v1::WatchRequest request;
  v1::WatchTarget& target = *request.add_targets();
  target.set_path(top_);
  target.set_kind(v1::WATCH_KIND_SUBTREE);
  ChangeFollower follower;
  follower.stop = &stop_;
  follower.on_event = [this](const v1::WatchEvent& event) {
    const std::lock_guard lock(mutex_);
    told_.push_back(event.path());
    revision_ = event.revision();
    return absl::OkStatus();
  };
  follower.on_idle = [this] {
    {
      const std::lock_guard lock(mutex_);
      in_place_ = true;
    }
    bell_.Ring();
  };
  follower.on_resume = [](int64_t) {};
  const absl::Status ended = FollowChanges(&watch_, std::move(request), follower);
  {
    const std::lock_guard lock(mutex_);
    ended_ = ended;
  }
  bell_.Ring();
}

absl::StatusOr<bool> PandoSource::Exchange(Mirror* mirror) {
  const bool any = TakeTold(mirror);
  {
    const std::lock_guard lock(mutex_);
    PANDO_RETURN_IF_ERROR(ended_);
  }
  // No stream is opened for nothing.
  std::optional<v1::PipelineOperation> first = NextOperation(mirror);
  if (!first) return any;
  PipelineTraffic traffic;
  traffic.reads = true;
  traffic.next = [&] { return first ? std::exchange(first, std::nullopt) : NextOperation(mirror); };
  traffic.on_result = [&](const v1::PipelineOperation& operation,
                          const v1::PipelineResult& result) {
    return TakeResult(operation, result, mirror);
  };
  PANDO_RETURN_IF_ERROR(RunPipeline(&reads_, traffic));
  return true;
}

bool PandoSource::TakeTold(Mirror* mirror) {
  std::vector<std::string> told;
  {
    const std::lock_guard lock(mutex_);
    if (!in_place_) return false;
    told.swap(told_);
    v1::ResponseHeader seen;
    seen.set_revision(revision_);
    reads_.Heard(seen);
  }
  if (!std::exchange(connected_, true)) mirror->Connected();
  for (const std::string& path : told) mirror->Changed(path);
  return !told.empty();
}

std::optional<v1::PipelineOperation> PandoSource::NextOperation(Mirror* mirror) {
  if (follow_ups_.empty()) {
    const std::optional<Question> question = mirror->NextQuestion();
    if (!question) return std::nullopt;
    const auto add = [&](bool last) -> v1::PipelineOperation& {
      waiting_.push_back({*question, {}, last});
      return follow_ups_.emplace_back();
    };
    switch (question->kind) {
      case Question::Kind::kStat: {
        v1::GetRequest& get = *add(true).mutable_get();
        get.set_path(question->path);
        get.set_without_data(true);
        break;
      }
      case Question::Kind::kNode:
        add(false).mutable_get()->set_path(question->path);
        add(true).mutable_get_acl()->set_path(question->path);
        break;
      case Question::Kind::kChildren: {
        v1::ListRequest& list = *add(true).mutable_list();
        list.set_path(question->path);
        list.set_page_size(kPageSize);
        break;
      }
      case Question::Kind::kSync:
        add(true).mutable_sync();
        break;
    }
  }
  v1::PipelineOperation operation = std::move(follow_ups_.front());
  follow_ups_.pop_front();
  sent_.push_back(std::move(waiting_.front()));
  waiting_.pop_front();
  return operation;
}

absl::Status PandoSource::TakeResult(const v1::PipelineOperation& operation,
                                     const v1::PipelineResult& result, Mirror* mirror) {
  CHECK(!sent_.empty());
  Pending pending = std::move(sent_.front());
  sent_.pop_front();
  Answer& answer = pending.answer;
  if (result.has_error()) {
    const v1::Reason reason = result.error().reason();
    if (reason != v1::REASON_NO_NODE && reason != v1::REASON_PERMISSION_DENIED) {
      return FinalStatus(ErrorOf(result.error()), /*is_write=*/false);
    }
    answer = {};
    answer.outcome =
        reason == v1::REASON_NO_NODE ? Answer::Outcome::kNoNode : Answer::Outcome::kDenied;
  } else if (result.has_get()) {
    answer.data = DataOf(result.get());
    PutStat(result.get().stat(), &answer);
  } else if (result.has_get_acl()) {
    answer = std::move(node_);
    answer.acl = ToModel(result.get_acl().acl());
    answer.version.acl = result.get_acl().stat().acl_version();
  } else if (result.has_list()) {
    // What counts is how things stood with the first page: later changes show at the next look.
    if (answer.children_changed == 0) PutStat(result.list().stat(), &answer);
    for (const v1::ListEntry& entry : result.list().entries()) answer.names.push_back(entry.name());
    if (!result.list().next_page_token().empty()) {
      v1::PipelineOperation next = operation;
      next.mutable_list()->set_page_token(result.list().next_page_token());
      follow_ups_.push_back(std::move(next));
      waiting_.push_back(std::move(pending));
      return absl::OkStatus();
    }
  }
  if (pending.last) {
    mirror->Answered(pending.question, std::move(answer));
  } else {
    node_ = std::move(answer);
  }
  return absl::OkStatus();
}

}  // namespace pando::cli

#include "bench/workload.h"

#include <cstdio>

#include "base/check.h"
#include "base/rng.h"

namespace pando::load {

std::optional<Workload::Kind> Workload::KindOf(std::string_view name) {
  if (name == "create") return Kind::kCreate;
  if (name == "get") return Kind::kGet;
  if (name == "set") return Kind::kSet;
  return std::nullopt;
}

Workload::Workload(Kind kind, uint64_t nodes, size_t data_bytes)
    : kind_(kind), nodes_(nodes), data_(data_bytes, 'd') {
  CHECK(nodes > 0);
}

std::string Workload::PathOf(uint64_t node) {
  char path[64];
  const int size = std::snprintf(path, sizeof path, "/bench/%04llu/%06llu",
                                 static_cast<unsigned long long>(node / kNodesPerDirectory),
                                 static_cast<unsigned long long>(node % kNodesPerDirectory));
  return {path, static_cast<size_t>(size)};
}

void Workload::Make(uint64_t number, v1::PipelineOperation* operation) const {
  operation->set_request_id(static_cast<int64_t>(number));
  switch (kind_) {
    case Kind::kCreate: {
      v1::CreateRequest* create = operation->mutable_create();
      create->set_path(PathOf(number % nodes_));
      create->set_data(data_);
      create->set_create_parents(true);
      create->set_if_not_exists(true);
      return;
    }
    case Kind::kGet:
      operation->mutable_get()->set_path(PathOf(base::Rng(number).Below(nodes_)));
      return;
    case Kind::kSet: {
      v1::SetRequest* set = operation->mutable_set();
      set->set_path(PathOf(base::Rng(number).Below(nodes_)));
      set->set_data(data_);
      return;
    }
  }
}

}  // namespace pando::load

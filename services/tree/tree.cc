#include "tree/tree.h"

#include <cstring>
#include <new>

#include "base/check.h"
#include "model/path.h"

namespace pando::tree {

// --- Node -------------------------------------------------------------------------------------

Node* Node::Make(std::string_view name, std::string_view value) {
  void* block = ::operator new(sizeof(Node) + name.size() + value.size());
  Node* node = new (block) Node();
  node->name_bytes_ = static_cast<uint32_t>(name.size());
  node->value_bytes_ = static_cast<uint32_t>(value.size());
  std::memcpy(node->bytes(), name.data(), name.size());
  std::memcpy(node->bytes() + name.size(), value.data(), value.size());
  return node;
}

void Node::Free(Node* node) {
  node->~Node();
  ::operator delete(node);
}

codec::NodeRecord Node::record() const {
  codec::NodeRecord record;
  const bool decoded = codec::DecodeNode(value(), &record);
  CHECK(decoded);
  return record;
}

model::Stat Node::stat() const {
  return codec::StatOf(record(), directory_ ? &directory_->record() : nullptr);
}

Directory::~Directory() {
  for (const ChildRef& child : children_) Node::Free(child.node);
}

// --- Tree -------------------------------------------------------------------------------------

Tree::~Tree() {
  if (root_ != nullptr) Node::Free(root_);
}

Node* Tree::FindMutable(std::string_view path) const {
  CHECK(!path.empty() && path[0] == '/');
  Node* node = root_;
  std::string_view rest = path.substr(1);
  while (node != nullptr && !rest.empty()) {
    const size_t slash = rest.find('/');
    const std::string_view name = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (node->directory_ == nullptr) return nullptr;
    const auto child = node->directory_->children_.find(name);
    node = child == node->directory_->children_.end() ? nullptr : child->node;
  }
  return node;
}

Directory* Tree::DirectoryOf(Node* node) {
  if (node->directory_ == nullptr) node->directory_ = std::make_unique<Directory>();
  return node->directory_.get();
}

void Tree::DropIfUnused(Node* node) {
  const Directory* directory = node->directory_.get();
  if (directory != nullptr && !directory->has_record_ && directory->children_.empty()) {
    node->directory_.reset();
  }
}

void Tree::Count(std::string_view value, int sign) {
  codec::NodeRecord record;
  const bool decoded = codec::DecodeNode(value, &record);
  CHECK(decoded);
  const size_t bytes = record.data ? record.data->size() : 0;
  if (sign > 0) {
    ++nodes_;
    data_bytes_ += bytes;
  } else {
    CHECK(nodes_ > 0 && data_bytes_ >= bytes);
    --nodes_;
    data_bytes_ -= bytes;
  }
}

void Tree::PutNode(std::string_view path, std::string_view value) {
  Count(value, +1);
  Directory* parent = nullptr;
  const ChildRef* ref = nullptr;
  Node* old = root_;
  const std::string_view name = model::LastName(path);
  if (path != "/") {
    Node* parent_node = FindMutable(model::ParentPath(path));
    CHECK(parent_node != nullptr);
    parent = DirectoryOf(parent_node);
    // Names come in order from a load and from sequences: the end is looked at first.
    const auto place = parent->children_.empty() || (--parent->children_.end())->node->name() < name
                           ? parent->children_.end()
                           : parent->children_.lower_bound(name);
    if (place == parent->children_.end() || place->node->name() != name) {
      parent->children_.insert(place, ChildRef{Node::Make(name, value)});
      return;
    }
    ref = &*place;
    old = ref->node;
  }
  if (old == nullptr) {
    root_ = Node::Make(name, value);
    return;
  }
  Count(old->value(), -1);
  if (old->value_bytes_ == value.size()) {
    std::memcpy(old->bytes() + old->name_bytes_, value.data(), value.size());
    return;
  }
  Node* fresh = Node::Make(old->name(), value);
  fresh->directory_ = std::move(old->directory_);
  (ref != nullptr ? ref->node : root_) = fresh;
  Node::Free(old);
}

void Tree::EraseNode(std::string_view path) {
  Node* node = FindMutable(path);
  CHECK(node != nullptr);
  CHECK(node->directory_ == nullptr);
  Count(node->value(), -1);
  if (node == root_) {
    root_ = nullptr;
  } else {
    Node* parent = FindMutable(model::ParentPath(path));
    parent->directory_->children_.erase(model::LastName(path));
    DropIfUnused(parent);
  }
  Node::Free(node);
}

void Tree::PutDirectory(std::string_view path, const codec::DirectoryRecord& record) {
  Node* node = FindMutable(path);
  CHECK(node != nullptr);
  Directory* directory = DirectoryOf(node);
  directory->record_ = record;
  directory->has_record_ = true;
}

void Tree::EraseDirectory(std::string_view path) {
  Node* node = FindMutable(path);
  CHECK(node != nullptr && node->directory_ != nullptr);
  CHECK(node->directory_->has_record_);
  node->directory_->has_record_ = false;
  node->directory_->record_ = {};
  DropIfUnused(node);
}

}  // namespace pando::tree

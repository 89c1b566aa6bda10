#include "tree/tree.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/check.h"
#include "model/path.h"

namespace pando::tree {
namespace {

// Of one node alone.
model::Usage OwnUsage(std::string_view value) {
  codec::NodeRecord record;
  const bool decoded = codec::DecodeNode(value, &record);
  CHECK(decoded);
  return {.nodes = 1, .bytes = static_cast<int64_t>(model::DataBytes(record.data))};
}

}  // namespace

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

model::Usage Node::usage() const {
  model::Usage usage = OwnUsage(value());
  if (directory_) usage += directory_->below();
  return usage;
}

// --- Children ---------------------------------------------------------------------------------

namespace {

// Eight bytes of `name` behind the first `skipped`, zeros where it ends, so that they order as the
// names do.
uint64_t DigitsOf(std::string_view name, size_t skipped) {
  uint64_t digits = 0;
  for (size_t at = skipped; at < skipped + sizeof digits; ++at) {
    digits = digits << 8 | (at < name.size() ? static_cast<unsigned char>(name[at]) : 0);
  }
  return digits;
}

}  // namespace

Children::ByName::Sought Children::Seek(std::string_view name) const {
  return {DigitsOf(name, shared_bytes_), name};
}

int Children::CompareWithShared(std::string_view name) const {
  const std::string_view shared = refs_.begin()->node->name().substr(0, shared_bytes_);
  return name.substr(0, shared_bytes_).compare(shared);
}

// The search takes for granted that the name begins as all do; if it does not, it finds another.
Children::const_iterator Children::find(std::string_view name) const {
  const const_iterator found = refs_.lower_bound(Seek(name));
  return found != refs_.end() && found->node->name() == name ? found : refs_.end();
}

Children::const_iterator Children::lower_bound(std::string_view name) const {
  const int order = refs_.empty() ? 1 : CompareWithShared(name);
  if (order != 0) return order < 0 ? refs_.begin() : refs_.end();
  return refs_.lower_bound(Seek(name));
}

Children::const_iterator Children::upper_bound(std::string_view name) const {
  const int order = refs_.empty() ? 1 : CompareWithShared(name);
  if (order != 0) return order < 0 ? refs_.begin() : refs_.end();
  return refs_.upper_bound(Seek(name));
}

void Children::Insert(Node* node) {
  const std::string_view name = node->name();
  if (refs_.empty()) {
    shared_bytes_ = static_cast<uint32_t>(name.size());
  } else if (CompareWithShared(name) != 0) {
    const std::string_view other = refs_.begin()->node->name();
    const auto differ = std::mismatch(name.begin(), name.end(), other.begin(), other.end());
    shared_bytes_ = static_cast<uint32_t>(differ.first - name.begin());
    for (const ChildRef& ref : refs_) ref.digits = DigitsOf(ref.node->name(), shared_bytes_);
  }
  const ChildRef child{DigitsOf(name, shared_bytes_), node};
  // Names come in order from a load and from sequences: the end is looked at first.
  const bool last = refs_.empty() || ByName()(*--refs_.end(), child);
  refs_.insert(last ? refs_.end() : refs_.lower_bound(child), child);
}

Directory::~Directory() {
  for (const ChildRef& child : children_) Node::Free(child.node);
}

// --- Tree -------------------------------------------------------------------------------------

Tree::~Tree() {
  if (root_ != nullptr) Node::Free(root_);
}

Node* Tree::FindMutable(std::string_view path) const {
  if (path == "/") return root_;
  if (path.empty() || path.front() != '/' || path.back() == '/') return nullptr;
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

model::Usage Tree::UsageOf(std::string_view path) const {
  const Node* node = Find(path);
  return node == nullptr ? model::Usage() : node->usage();
}

void Tree::Count(std::string_view path, const model::Usage& change) {
  if (path == "/" || change == model::Usage()) return;
  std::string_view rest = path.substr(1);
  for (const Node* node = root_;;) {
    Directory& directory = *node->directory_;
    directory.below_ += change;
    CHECK(directory.below_.nodes >= 0);
    CHECK(directory.below_.bytes >= 0);
    const size_t slash = rest.find('/');
    if (slash == std::string_view::npos) return;
    node = directory.children_.find(rest.substr(0, slash))->node;
    rest = rest.substr(slash + 1);
  }
}

void Tree::PutNode(std::string_view path, std::string_view value) {
  model::Usage change = OwnUsage(value);
  Directory* parent = nullptr;
  const ChildRef* ref = nullptr;
  Node* old = root_;
  const std::string_view name = model::LastName(path);
  if (path != "/") {
    Node* parent_node = FindMutable(model::ParentPath(path));
    CHECK(parent_node != nullptr);
    parent = DirectoryOf(parent_node);
    const auto place = parent->children_.find(name);
    if (place == parent->children_.end()) {
      parent->children_.Insert(Node::Make(name, value));
      Count(path, change);
      return;
    }
    ref = &*place;
    old = ref->node;
  }
  if (old == nullptr) {
    root_ = Node::Make(name, value);
    return;
  }
  change -= OwnUsage(old->value());
  Count(path, change);
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
  model::Usage change;
  change -= OwnUsage(node->value());
  Count(path, change);
  if (node == root_) {
    root_ = nullptr;
  } else {
    Node* parent = FindMutable(model::ParentPath(path));
    Children& children = parent->directory_->children_;
    children.Erase(children.find(model::LastName(path)));
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

// Tree: the nodes in memory, as their records. It knows names and counters; what a record means is
// the machine's business.
//
// Made for a million nodes: a node is one block of memory, its encoded record lies behind its name,
// and only a node that has had a child has a directory.
//
//   Node       [directory *][value bytes][name bytes][name …][record …]
//   Directory  counters, how much is below, and the children by name
//
// How much is in a subtree is counted where it changes, on the way to the root, so that nobody has
// to walk through it to know.
//
// Owned by one thread. A Node is valid until the next change of it or its end.
#ifndef PANDO_TREE_TREE_H_
#define PANDO_TREE_TREE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/container/btree_set.h"
#include "codec/record.h"
#include "model/node.h"
#include "model/usage.h"

namespace pando::tree {

class Directory;

class Node {
 public:
  std::string_view name() const { return {bytes(), name_bytes_}; }
  // codec::EncodeNode's.
  std::string_view value() const { return {bytes() + name_bytes_, value_bytes_}; }
  codec::NodeRecord record() const;
  // Null: it has never had a child.
  const Directory* directory() const { return directory_.get(); }
  model::Stat stat() const;
  // Of it and all that is below it.
  model::Usage usage() const;

  static Node* Make(std::string_view name, std::string_view value);
  static void Free(Node* node);

 private:
  friend class Tree;
  Node() = default;
  ~Node() = default;

  const char* bytes() const { return reinterpret_cast<const char*>(this + 1); }
  char* bytes() { return reinterpret_cast<char*>(this + 1); }

  std::unique_ptr<Directory> directory_;
  uint32_t value_bytes_ = 0;
  uint32_t name_bytes_ = 0;
};

// A child of a directory. The block is replaced when the record's size changes; the name stays.
// The digits are eight bytes of the name as a number: with them most comparisons need not go to the
// node, which is a miss of the cache, and a search is one or two misses instead of ten.
struct ChildRef {
  mutable uint64_t digits;
  mutable Node* node;
};

// The children of a directory, in the order of their names' bytes.
class Children {
 public:
  struct ByName {
    using is_transparent = void;
    struct Sought {
      uint64_t digits;
      std::string_view name;
    };
    static std::string_view Name(const ChildRef& child) { return child.node->name(); }
    static std::string_view Name(const Sought& sought) { return sought.name; }
    template <class A, class B>
    bool operator()(const A& a, const B& b) const {
      return a.digits != b.digits ? a.digits < b.digits : Name(a) < Name(b);
    }
  };
  using const_iterator = absl::btree_set<ChildRef, ByName>::const_iterator;

  bool empty() const { return refs_.empty(); }
  size_t size() const { return refs_.size(); }
  const_iterator begin() const { return refs_.begin(); }
  const_iterator end() const { return refs_.end(); }
  const_iterator find(std::string_view name) const;
  // The first whose name is not below `name`, and the first whose name is above it.
  const_iterator lower_bound(std::string_view name) const;
  const_iterator upper_bound(std::string_view name) const;

 private:
  friend class Directory;
  friend class Tree;

  // REQUIRES: no child has its name.
  void Insert(Node* node);
  void Erase(const_iterator child) { refs_.erase(child); }

  ByName::Sought Seek(std::string_view name) const;
  // How `name` compares with what all names begin with: below 0, 0 or above. REQUIRES: not empty.
  int CompareWithShared(std::string_view name) const;

  absl::btree_set<ChildRef, ByName> refs_;
  // All names begin with the same so many bytes; the digits are of those behind. It only shrinks as
  // long as there is a child, so a name's length bounds how often all digits are made anew.
  uint32_t shared_bytes_ = 0;
};

class Directory {
 public:
  ~Directory();
  const codec::DirectoryRecord& record() const { return record_; }
  // It has none between the first child's coming and its own, and is all zero until then.
  bool has_record() const { return has_record_; }
  const Children& children() const { return children_; }
  // The children and all that is below them.
  const model::Usage& below() const { return below_; }

 private:
  friend class Tree;
  codec::DirectoryRecord record_;
  bool has_record_ = false;
  model::Usage below_;
  Children children_;
};

class Tree {
 public:
  Tree() = default;
  ~Tree();
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;

  // Null: there is none. `path` need not be one.
  const Node* Find(std::string_view path) const { return FindMutable(path); }

  // Makes the node or replaces its record; its directory stays. REQUIRES: its parent is there.
  void PutNode(std::string_view path, std::string_view value);
  // REQUIRES: it is there, and has neither children nor a directory record.
  void EraseNode(std::string_view path);
  // REQUIRES: the node is there.
  void PutDirectory(std::string_view path, const codec::DirectoryRecord& record);
  // REQUIRES: the node is there, with a directory record and without children.
  void EraseDirectory(std::string_view path);

  // Of the subtree at `path`, which need not be there.
  model::Usage UsageOf(std::string_view path) const;

 private:
  Node* FindMutable(std::string_view path) const;
  Directory* DirectoryOf(Node* node);
  static void DropIfUnused(Node* node);
  // The node at `path` comes, changes, or goes: all directories above it count it.
  void Count(std::string_view path, const model::Usage& change);

  Node* root_ = nullptr;
};

}  // namespace pando::tree

#endif  // PANDO_TREE_TREE_H_

#include "codec/change.h"

#include <map>
#include <utility>

#include "base/check.h"
#include "base/wire.h"
#include "codec/parts.h"

namespace pando::codec {
namespace {

using AclPointer = std::shared_ptr<const model::Acl>;

// Numbers ACLs by their contents.
class AclNumbers {
 public:
  uint64_t Of(const AclPointer& acl) {
    CHECK(acl != nullptr);
    if (acl == last_) return last_number_;
    const auto [place, added] = numbers_.emplace(*acl, acls_.size());
    if (added) acls_.push_back(acl);
    last_ = acl;
    last_number_ = place->second;
    return last_number_;
  }
  const std::vector<AclPointer>& acls() const { return acls_; }

 private:
  std::map<model::Acl, uint64_t> numbers_;
  std::vector<AclPointer> acls_;
  AclPointer last_;
  uint64_t last_number_ = 0;
};

// Where the decoder has to put ACLs once it has read them.
struct AclUse {
  AclPointer* acl;
  uint64_t number;
};

}  // namespace

void EncodeChangeBatches(const std::vector<std::shared_ptr<const model::ChangeBatch>>& batches,
                         std::string* out) {
  base::Writer writer(out);
  AclNumbers acls;
  writer.Varint(batches.size());
  for (const auto& batch : batches) {
    Write(&writer, batch->revision);
    writer.Varint(batch->changes.size());
    for (const model::Change& change : batch->changes) {
      CHECK(change.revision == batch->revision);
      WriteEnum(&writer, change.kind);
      writer.Bytes(change.path);
      Write(&writer, change.stat);
      Write(&writer, change.data);
      writer.Varint(acls.Of(change.acl));
      writer.Varint(acls.Of(change.parent_acl));
    }
  }
  writer.Varint(acls.acls().size());
  for (const AclPointer& acl : acls.acls()) Write(&writer, *acl);
}

bool DecodeChangeBatches(std::string_view bytes,
                         std::vector<std::shared_ptr<const model::ChangeBatch>>* batches) {
  base::Reader reader(bytes);
  std::vector<std::shared_ptr<model::ChangeBatch>> decoded;
  std::vector<AclUse> uses;
  const size_t batch_count = reader.Count(2);
  for (size_t i = 0; i < batch_count && reader.ok(); ++i) {
    model::ChangeBatch& batch = *decoded.emplace_back(std::make_shared<model::ChangeBatch>());
    Read(&reader, &batch.revision);
    batch.changes.resize(reader.Count(16));
    for (model::Change& change : batch.changes) {
      change.revision = batch.revision;
      change.kind = ReadEnum(&reader, model::ChangeKind::kCreated, model::ChangeKind::kAclChanged);
      change.path = ReadString(&reader);
      Read(&reader, &change.stat);
      Read(&reader, &change.data);
      uses.push_back({&change.acl, reader.Varint()});
      uses.push_back({&change.parent_acl, reader.Varint()});
      if (!reader.ok()) return false;
    }
  }
  std::vector<AclPointer> acls;
  const size_t acl_count = reader.Count();
  for (size_t i = 0; i < acl_count && reader.ok(); ++i) {
    auto acl = std::make_shared<model::Acl>();
    Read(&reader, acl.get());
    acls.push_back(std::move(acl));
  }
  if (!reader.done()) return false;
  for (const AclUse& use : uses) {
    if (use.number >= acls.size()) return false;
    *use.acl = acls[use.number];
  }
  batches->assign(decoded.begin(), decoded.end());
  return true;
}

}  // namespace pando::codec

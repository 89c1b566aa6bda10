// The files identity and CURRENT: as they are, and with a checksum that holds.
#include <string>

#include "absl/strings/str_cat.h"
#include "base/hash.h"
#include "base/status.h"
#include "fuzz.h"
#include "store/data_dir.h"

FUZZ(bytes) {
  using namespace pando;
  const std::string sealed = absl::StrCat(base::View(bytes), "checksum ",
                                          absl::Hex(base::Hash64(bytes), absl::kZeroPad16), "\n");
  for (const std::string_view text : {bytes, std::string_view(sealed)}) {
    fuzz::ComesBack<store::Identity>(text, store::ParseIdentity, store::FormatIdentity);
    fuzz::ComesBack<store::Current>(text, store::ParseCurrent, store::FormatCurrent);
  }
}

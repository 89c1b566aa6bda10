#include "jute/testing/golden.h"

namespace pando::jute {

model::Stat ElevenNumbers() {
  model::Stat stat;
  stat.create_revision = model::Revision(1);
  stat.modify_revision = model::Revision(2);
  stat.children_revision = model::Revision(3);
  stat.ctime = {4};
  stat.mtime = {5};
  stat.version = 6;
  stat.children_version = 7;
  stat.acl_version = 8;
  stat.ephemeral_owner = model::SessionId(9);
  stat.data_length = 10;
  stat.children_count = 11;
  return stat;
}

std::vector<Bytes> EveryRequest() {
  Bytes multi = OpenAcl(Part(Header(14, 14), 1).Text("/a").Text("d")).Int(2);
  multi = OpenAcl(Part(multi, 15).Text("/b").Int(-1)).Int(1);
  multi = OpenAcl(Part(multi, 19).Text("/c").Text("")).Int(4);
  multi = OpenAcl(Part(multi, 21).Text("/d").Text("e")).Int(5).Long(60'000);
  multi = Part(multi, 2).Text("/e").Int(-1);
  multi = Part(multi, 5).Text("/f").Text("g").Int(3);
  multi = Part(multi, 13).Text("/g").Int(4);
  multi = Part(multi, 501).Text("/h").Int(5);
  multi = OpenAcl(Part(multi, 502).Text("/i").Text("j")).Int(0);
  multi = Part(multi, 503).Text("/k").Int(100);
  const Bytes multi_read = Part(Part(Header(22, 22), 4).Text("/a").Byte(0), 8).Text("/b").Byte(0);
  return {
      OpenAcl(Header(1, 1).Text("/a").Text("d")).Int(3),
      OpenAcl(Header(1, 15).Text("/a").Text("d")).Int(0),
      OpenAcl(Header(1, 19).Text("/a").Text("d")).Int(4),
      OpenAcl(Header(1, 21).Text("/a").Text("d")).Int(6).Long(9),
      Header(2, 2).Text("/a").Int(7),
      Header(3, 3).Text("/a").Byte(1),
      Header(4, 4).Text("/a").Byte(1),
      Header(5, 5).Text("/a").Text("d").Int(8),
      Header(6, 6).Text("/a"),
      OpenAcl(Header(7, 7).Text("/a")).Int(9),
      Header(8, 8).Text("/a").Byte(0),
      Header(9, 9).Text("/a"),
      Header(-2, 11),
      Header(12, 12).Text("/a").Byte(1),
      Header(13, 13).Text("/a").Int(10),
      LastPart(multi),
      Header(16, 16).Text("j").Int(-1).Text("n").Long(-1),
      Header(17, 17).Text("/a").Int(1),
      Header(18, 18).Text("/a").Int(2),
      LastPart(multi_read),
      Header(-4, 100).Int(11).Text("digest").Text("a:b"),
      Header(-8, 101).Long(1).Int(1).Text("/d").Int(1).Text("/e").Int(1).Text("/c"),
      Header(102, 102).Text("token"),
      Header(103, 103).Text("/a"),
      Header(104, 104).Text("/a"),
      Header(-8, 105).Long(1).Int(0).Int(0).Int(0).Int(1).Text("/p").Int(1).Text("/r"),
      Header(106, 106).Text("/a").Int(1),
      Header(107, 107),
      Header(500, 500).Text("/a").Byte(1).Byte(2),
      Header(501, 501).Text("/a").Int(10),
      OpenAcl(Header(502, 502).Text("/a").Text("d")).Int(3),
      Header(503, 503).Text("/a").Int(-1),
      Header(0x7fff'ffff, -11),
  };
}

}  // namespace pando::jute

// How many files and sockets this process may have.
#ifndef PANDO_SERVER_FILE_DESCRIPTORS_H_
#define PANDO_SERVER_FILE_DESCRIPTORS_H_

#include <cstddef>
#include <cstdint>

namespace pando::server {

// How many of `wanted` connections of clients fit: half of all descriptors are for them, so that
// the log and the other servers never lack one.
size_t RoomForConnections(uint64_t wanted);

}  // namespace pando::server

#endif  // PANDO_SERVER_FILE_DESCRIPTORS_H_

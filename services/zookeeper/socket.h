// Socket: the bytes of one connection, in the clear or under TLS.
//
// One thread's: that of its io_context.
#ifndef PANDO_ZOOKEEPER_SOCKET_H_
#define PANDO_ZOOKEEPER_SOCKET_H_

#include <asio.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "net/refusals.h"

namespace pando::zookeeper {

class Socket {
 public:
  // Called from the io_context, never from within a call of the socket.
  struct Events {
    // TLS: the client has shown a certificate of this subject. Before any input.
    std::function<void(const std::string& subject)> on_certificate;
    // It is not let in, and is about to end.
    std::function<void(net::Refusals::Reason, const std::string& why)> on_refused;
    std::function<void()> on_input;           // there is something in input()
    std::function<void()> on_written;         // all that was given to Write
    std::function<void(std::string)> on_end;  // why; empty: the client closed it. Called once
  };
  virtual ~Socket() = default;

  virtual void Start(Events events) = 0;
  // What has arrived; the caller takes off its front what it has read.
  virtual std::string* input() = 0;
  // Reads on, until there is more. REQUIRES: not reading.
  virtual void Read() = 0;
  virtual bool reading() const = 0;
  // Takes all of `*bytes`. REQUIRES: not writing.
  virtual void Write(std::string* bytes) = 0;
  virtual bool writing() const = 0;
  // No event comes any more.
  virtual void Close() = 0;
};

// What an empty buffer may hold on to: one large answer must not stay with a connection for ever.
inline constexpr size_t kSpareBytesMax = size_t{16} << 10;
void DropSpare(std::string* bytes);

std::unique_ptr<Socket> MakePlainSocket(asio::ip::tcp::socket socket);

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_SOCKET_H_

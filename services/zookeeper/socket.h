// Socket: the bytes of one connection, in the clear or under TLS.
//
// One thread's: that of its io_context.
#ifndef PANDO_ZOOKEEPER_SOCKET_H_
#define PANDO_ZOOKEEPER_SOCKET_H_

#include <asio.hpp>
#include <functional>
#include <memory>
#include <string>

namespace pando::zookeeper {

class Socket {
 public:
  // Called from the io_context, never from within a call of the socket.
  struct Events {
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

std::unique_ptr<Socket> MakePlainSocket(asio::ip::tcp::socket socket);

}  // namespace pando::zookeeper

#endif  // PANDO_ZOOKEEPER_SOCKET_H_

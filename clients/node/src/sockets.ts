import type { Socket } from "node:net";
import { ChannelCredentials } from "@grpc/grpc-js";

type Connector = ReturnType<ChannelCredentials["_createSecureConnector"]>;

// For what a closed channel still has to say.
const GRACE_MS = 1000;

/**
 * Credentials that know the sockets of their channel, because gRPC forgets one on which the server
 * has said nothing: it would outlive the channel for as long as that server likes.
 */
export class SocketKeeper extends ChannelCredentials {
  readonly #credentials: ChannelCredentials;
  readonly #sockets = new Set<Socket>();

  constructor(credentials: ChannelCredentials) {
    super();
    this.#credentials = credentials;
  }

  /** The channel is closed: soon none of its sockets is open. */
  release(): void {
    setTimeout(() => {
      for (const socket of this.#sockets) {
        socket.destroy();
      }
    }, GRACE_MS).unref();
  }

  override _isSecure(): boolean {
    return this.#credentials._isSecure();
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    ...how: Parameters<ChannelCredentials["_createSecureConnector"]>
  ): Connector {
    const connector = this.#credentials._createSecureConnector(...how);
    return {
      connect: (socket) => {
        this.#sockets.add(socket);
        socket.once("close", () => this.#sockets.delete(socket));
        return connector.connect(socket);
      },
      waitForReady: () => connector.waitForReady(),
      getCallCredentials: () => connector.getCallCredentials(),
      destroy: () => connector.destroy(),
    };
  }
}

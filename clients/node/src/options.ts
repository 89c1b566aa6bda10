import { type ChannelCredentials, type ClientOptions, credentials } from "@grpc/grpc-js";

/** PEM texts. */
export interface Tls {
  /** The authority that signed the servers' certificates. Without it: the roots of Node. */
  ca?: string | Buffer;
  /** Shows who asks, with `key`. */
  certificate?: string | Buffer;
  key?: string | Buffer;
  /** The name in the servers' certificate, where it is not the endpoints' own. */
  serverName?: string;
}

/** How a session is to be had. */
export interface Options {
  /** How long the ensemble waits for a silent client. 10 s. */
  sessionTimeoutMs?: number;
  /** For connect() to find a server and get a session. 10 s. */
  connectTimeoutMs?: number;
  /** Of a call that does not say its own. 10 s. */
  operationTimeoutMs?: number;
  /** How long a server may be silent to an attempt before the next one is tried. 1 s. */
  attemptTimeoutMs?: number;
  /** The ensemble that is meant. 0n: whichever answers first. */
  clusterId?: bigint;
  /** Without it: plaintext. */
  tls?: Tls;
  /** "digest:user:password", each. */
  identities?: readonly string[];
}

// Above every message of the API, which are at most 4 MiB.
const MESSAGE_BYTES_MAX = 8 << 20;

/** Options with nothing left open. */
export class Settings {
  readonly endpoints: readonly string[];
  readonly sessionTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly operationTimeoutMs: number;
  readonly attemptTimeoutMs: number;
  readonly clusterId: bigint;
  readonly identities: readonly string[];
  readonly credentials: ChannelCredentials;
  readonly channel: ClientOptions;

  constructor(endpoints: string | readonly string[], options: Options) {
    this.endpoints = typeof endpoints === "string" ? endpoints.split(",") : [...endpoints];
    if (this.endpoints.length === 0 || this.endpoints.includes("")) {
      throw new RangeError("endpoints: at least one HOST:PORT is needed, and none may be empty");
    }
    this.sessionTimeoutMs = positive(options.sessionTimeoutMs ?? 10_000);
    this.connectTimeoutMs = positive(options.connectTimeoutMs ?? 10_000);
    this.operationTimeoutMs = positive(options.operationTimeoutMs ?? 10_000);
    this.attemptTimeoutMs = positive(options.attemptTimeoutMs ?? 1_000);
    this.clusterId = options.clusterId ?? 0n;
    this.identities = [...(options.identities ?? [])];
    this.credentials = credentialsOf(options.tls);
    this.channel = channelOptions(options.tls);
  }
}

export function positive(timeoutMs: number): number {
  if (!(timeoutMs > 0)) {
    throw new RangeError("a timeout is more than 0 ms");
  }
  return timeoutMs;
}

function credentialsOf(tls: Tls | undefined): ChannelCredentials {
  if (tls === undefined) {
    return credentials.createInsecure();
  }
  const [ca, key, certificate] = [tls.ca, tls.key, tls.certificate].map((text) =>
    text === undefined ? null : Buffer.from(text as string),
  );
  return credentials.createSsl(ca, key, certificate);
}

function channelOptions(tls: Tls | undefined): ClientOptions {
  return {
    // A channel is dropped when it fails, and must not inherit an earlier one's back-off.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.enable_http_proxy": 0,
    "grpc.enable_retries": 0,
    "grpc.service_config_disable_resolution": 1,
    "grpc.max_receive_message_length": MESSAGE_BYTES_MAX,
    ...(tls?.serverName !== undefined && {
      "grpc.ssl_target_name_override": tls.serverName,
      "grpc.default_authority": tls.serverName,
    }),
  };
}

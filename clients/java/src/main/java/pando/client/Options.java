package pando.client;

import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;

/** How a session is to be had: {@code Options.builder("a:7400,b:7400").build()}. */
public final class Options {
  // Above every message of the API, which are at most 4 MiB.
  private static final int MESSAGE_BYTES_MAX = 8 << 20;

  final List<String> endpoints;
  final Duration sessionTimeout;
  final Duration connectTimeout;
  final Duration operationTimeout;
  final Duration attemptTimeout;
  final long clusterId;
  final List<String> identities;

  private final Tls tls;

  private Options(Builder builder) {
    endpoints = builder.endpoints;
    sessionTimeout = builder.sessionTimeout;
    connectTimeout = builder.connectTimeout;
    operationTimeout = builder.operationTimeout;
    attemptTimeout = builder.attemptTimeout;
    clusterId = builder.clusterId;
    identities = builder.identities;
    tls = builder.tls;
  }

  /** HOST:PORT each, with commas between; one is used at a time, the first one first. */
  public static Builder builder(String endpoints) {
    return builder(List.of(endpoints.split(",", -1)));
  }

  /** HOST:PORT each; one is used at a time, the first one first. */
  public static Builder builder(List<String> endpoints) {
    return new Builder(endpoints);
  }

  ManagedChannel channel(String endpoint, Executor executor) {
    return channelBuilder(endpoint).executor(executor).build();
  }

  private ManagedChannelBuilder<?> channelBuilder(String endpoint) {
    ManagedChannelBuilder<?> builder =
        Grpc.newChannelBuilder(
            "dns:///" + endpoint,
            tls == null ? InsecureChannelCredentials.create() : tls.credentials());
    if (tls != null && tls.serverName() != null) {
      builder.overrideAuthority(tls.serverName());
    }
    return builder
        .proxyDetector(target -> null)
        .disableRetry()
        .disableServiceConfigLookUp()
        .maxInboundMessageSize(MESSAGE_BYTES_MAX);
  }

  /** What is not said has its default. */
  public static final class Builder {
    private final List<String> endpoints;
    private Duration sessionTimeout = Duration.ofSeconds(10);
    private Duration connectTimeout = Duration.ofSeconds(10);
    private Duration operationTimeout = Duration.ofSeconds(10);
    private Duration attemptTimeout = Duration.ofSeconds(1);
    private long clusterId;
    private Tls tls;
    private List<String> identities = List.of();

    private Builder(List<String> endpoints) {
      if (endpoints.isEmpty() || endpoints.contains("")) {
        throw new IllegalArgumentException(
            "endpoints: at least one HOST:PORT is needed, and none may be empty");
      }
      this.endpoints = List.copyOf(endpoints);
    }

    /** How long the ensemble waits for a silent client. 10 s. */
    public Builder sessionTimeout(Duration timeout) {
      sessionTimeout = positive(timeout);
      return this;
    }

    /** For connect to find a server and get a session. 10 s. */
    public Builder connectTimeout(Duration timeout) {
      connectTimeout = positive(timeout);
      return this;
    }

    /** Of a call that does not say its own. 10 s. */
    public Builder operationTimeout(Duration timeout) {
      operationTimeout = positive(timeout);
      return this;
    }

    /** How long a server may be silent before the next one is tried. 1 s. */
    public Builder attemptTimeout(Duration timeout) {
      attemptTimeout = positive(timeout);
      return this;
    }

    /** The ensemble that is meant. 0: whichever answers first. */
    public Builder clusterId(long id) {
      clusterId = id;
      return this;
    }

    /** Without it: plaintext. */
    public Builder tls(Tls tls) {
      this.tls = tls;
      return this;
    }

    /** {@code digest:user:password}, each. */
    public Builder identities(String... identities) {
      this.identities = List.of(identities);
      return this;
    }

    /** IllegalArgumentException: what TLS was given are no PEM texts. */
    public Options build() {
      Options options = new Options(this);
      try {
        options.channelBuilder(endpoints.get(0)); // reads them
      } catch (RuntimeException malformed) {
        throw new IllegalArgumentException("tls: not PEM texts", malformed);
      }
      return options;
    }

    static Duration positive(Duration timeout) {
      if (timeout.isNegative() || timeout.isZero()) {
        throw new IllegalArgumentException("a timeout is more than nothing");
      }
      return timeout;
    }
  }
}

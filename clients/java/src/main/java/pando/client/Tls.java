package pando.client;

import io.grpc.ChannelCredentials;
import io.grpc.TlsChannelCredentials;
import java.io.ByteArrayInputStream;
import java.io.IOException;

/**
 * Whom to trust, and who asks; PEM texts. {@code Tls.trusting(ca).showing(certificate, key)} is
 * mutual TLS.
 */
public final class Tls {
  private final byte[] ca;
  private final byte[] certificate;
  private final byte[] key;
  private final String serverName;

  private Tls(byte[] ca, byte[] certificate, byte[] key, String serverName) {
    this.ca = ca;
    this.certificate = certificate;
    this.key = key;
    this.serverName = serverName;
  }

  /** Trusts what the system's authorities have signed. */
  public static Tls trustingSystem() {
    return new Tls(null, null, null, null);
  }

  /** Trusts what this authority has signed. */
  public static Tls trusting(byte[] ca) {
    return new Tls(ca.clone(), null, null, null);
  }

  /** Shows this certificate, too. */
  public Tls showing(byte[] certificate, byte[] key) {
    return new Tls(ca, certificate.clone(), key.clone(), serverName);
  }

  /** Expects this name in the servers' certificate, instead of the endpoint's own. */
  public Tls expecting(String serverName) {
    return new Tls(ca, certificate, key, serverName);
  }

  /** null: the endpoint's own. */
  String serverName() {
    return serverName;
  }

  ChannelCredentials credentials() {
    TlsChannelCredentials.Builder credentials = TlsChannelCredentials.newBuilder();
    try {
      if (ca != null) {
        credentials.trustManager(new ByteArrayInputStream(ca));
      }
      if (certificate != null) {
        credentials.keyManager(
            new ByteArrayInputStream(certificate), new ByteArrayInputStream(key));
      }
    } catch (IOException unreadable) {
      throw new IllegalArgumentException("not PEM texts", unreadable);
    }
    return credentials.build();
  }
}

package pando.client;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static pando.client.World.fails;
import static pando.client.World.ms;
import static pando.client.World.options;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import pando.v1.Identity;
import pando.v1.TreeServiceGrpc;
import pando.v1.WhoAmIRequest;

/** One scenario in parts: each is one way to be let in, or not. */
class TlsTest {
  @RegisterExtension final World world = new World();

  private static Options.Builder at(Ensemble.TlsServer server, Tls tls) {
    return options(List.of(server.endpoint())).tls(tls);
  }

  private static Tls trusting(String ca) {
    return Tls.trusting(ca.getBytes(US_ASCII));
  }

  private static Tls mutual(Ensemble.TlsServer server) {
    return trusting(server.ca())
        .showing(server.certificate().getBytes(US_ASCII), server.key().getBytes(US_ASCII));
  }

  @Test
  void tls() throws Throwable {
    Ensemble.TlsServer server = world.ensemble.tls("server");
    Session session = world.connect(at(server, mutual(server)));
    var me = session.call(TreeServiceGrpc.getWhoAmIMethod(), WhoAmIRequest.getDefaultInstance());
    assertEquals(1, me.getIdentitiesList().stream().filter(TlsTest::isCertificate).count());
    refused(server, trusting(server.ca()), "");
    refused(server, null, "");
    refused(server, trusting(server.other_ca()), "Path does not chain");
    Ensemble.TlsServer expired = world.ensemble.tls("expired");
    refused(expired, mutual(expired), "CertificateExpired");
    var malformed = at(server, trusting("not PEM"));
    assertThrows(IllegalArgumentException.class, malformed::build);
  }

  private static boolean isCertificate(Identity identity) {
    return identity.getScheme().equals("x509");
  }

  /** In time, and with words that say why. */
  private void refused(Ensemble.TlsServer server, Tls tls, String why) throws Throwable {
    var refused =
        fails(
            2000,
            2500,
            PandoException.Unavailable.class,
            () -> world.connect(at(server, tls).connectTimeout(ms(2000))));
    assertTrue(refused.getMessage().contains(why), refused::toString);
  }
}

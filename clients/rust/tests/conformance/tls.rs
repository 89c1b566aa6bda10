use std::time::{Duration, Instant};

use crate::world::{failed, took, World};
use pando::tonic::transport::{Certificate, ClientTlsConfig, Identity};
use pando::v1::tree_service_client::TreeServiceClient;
use pando::v1::WhoAmIRequest;
use pando::{Options, Reason, Session};
use serde_json::Value;

fn trusting(server: &Value, authority: &str) -> ClientTlsConfig {
    ClientTlsConfig::new()
        .ca_certificate(Certificate::from_pem(server[authority].as_str().unwrap()))
}

fn mutual(server: &Value) -> ClientTlsConfig {
    let (certificate, key) = (&server["certificate"], &server["key"]);
    let identity = Identity::from_pem(certificate.as_str().unwrap(), key.as_str().unwrap());
    trusting(server, "ca").identity(identity)
}

fn options(server: &Value, tls: Option<ClientTlsConfig>) -> Options {
    Options { tls, ..Options::new([server["endpoint"].as_str().unwrap()]) }
}

async fn refused(server: &Value, tls: Option<ClientTlsConfig>, why: &str) {
    let (connect_timeout, attempt_timeout) = (Duration::from_secs(1), Duration::from_millis(500));
    let began = Instant::now();
    let options = Options { connect_timeout, attempt_timeout, ..options(server, tls) };
    let error = failed(Session::connect(options).await, Reason::NoServer);
    took(began, 1000, 1500);
    assert!(error.message.contains(why), "{error} does not say {why:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls() {
    let mut world = World::new().await;
    let server = world.ask("tls");
    let session = world.connect(options(&server, Some(mutual(&server)))).await;
    let who = |connection, header| async move {
        let request = WhoAmIRequest { header: Some(header) };
        Ok(TreeServiceClient::new(connection).who_am_i(request).await?.into_inner())
    };
    let me = session.call(who).await.unwrap();
    assert!(me.identities.iter().any(|identity| identity.scheme == "x509"), "{me:?}");
    // The server shuts the connection, and only its log says why.
    refused(&server, Some(trusting(&server, "ca")), "no session within 1s").await;
    refused(&server, None, "no session within 1s").await;
    // Both authorities have one name, so it is the signature that tells them apart.
    refused(&server, Some(trusting(&server, "other_ca")), "certificate: BadSignature").await;
    let expired = world.ask("tls expired");
    refused(&expired, Some(mutual(&expired)), "certificate: Expired").await;
    world.end().await;
}

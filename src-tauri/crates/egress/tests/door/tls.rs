use crate::support::*;
use egress::{Door, Settings};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use std::sync::Arc;
use tokio::{net::TcpListener, sync::mpsc};
use tokio_rustls::TlsAcceptor;

/// A model with TLS on loopback that offers these protocols.
async fn model(protocols: &[&str]) -> (Settings, mpsc::UnboundedReceiver<Exchange>) {
    far("localhost", protocols).await
}

/// A server with TLS on loopback that is called `name`; settings that trust it.
pub async fn far(name: &str, protocols: &[&str]) -> (Settings, mpsc::UnboundedReceiver<Exchange>) {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap();
    let mut config = config.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key).unwrap();
    config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port()).parse().unwrap();
    let (send, exchanges) = mpsc::unbounded_channel();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, send) = (acceptor.clone(), send.clone());
            tokio::spawn(async move {
                if let Ok(stream) = acceptor.accept(stream).await {
                    speak(stream, send).await;
                }
            });
        }
    });
    (Settings { roots: vec![cert.der().clone()], ..Settings::new(base) }, exchanges)
}

#[tokio::test]
async fn over_http_2_and_1_each_piece_passes_before_the_next_is_made() {
    for (offered, version) in
        [(&["h2", "http/1.1"][..], hyper::Version::HTTP_2), (&["http/1.1"], hyper::Version::HTTP_11)]
    {
        let (settings, mut exchanges) = model(offered).await;
        let house = FakeHouse::new();
        let door = Door::new(settings, house.clone()).unwrap();
        let answer = tokio::spawn(client(&door).await.send_request(ask(TOKEN)));
        let exchange = soon(exchanges.recv()).await.unwrap();
        assert_eq!((exchange.parts.version, &exchange.parts.headers["x-api-key"]), (version, &KEY.parse().unwrap()));
        let (say, response) = streamed();
        exchange.answer.send(response).unwrap();
        let mut body = soon(answer).await.unwrap().unwrap().into_body();
        for said in [START, DELTA, LAST, STOP] {
            say.send(Ok(said)).await.unwrap();
            assert_eq!(piece(&mut body).await.as_deref(), Some(said));
        }
        drop(say);
        assert_eq!(piece(&mut body).await, None);
        assert_eq!(house.one_spend().await.cost, COST);
    }
}

#[tokio::test]
async fn a_model_whose_certificate_nobody_vouches_for_gets_nothing() {
    let (settings, mut exchanges) = model(&["h2"]).await;
    let door = Door::new(Settings { roots: Vec::new(), ..settings }, FakeHouse::new()).unwrap();
    let response = soon(client(&door).await.send_request(ask(TOKEN))).await.unwrap();
    assert_eq!(response.headers()["x-lanyard-code"], "UPSTREAM_UNREACHABLE");
    assert!(exchanges.try_recv().is_err());
}

//! TLS and HTTP/2 to the instance: custom certificate authorities, invalid certificates.

use std::{
    convert::Infallible,
    fs,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
};

use bytes::Bytes;
use daktela_demo::{Demo, TOKEN};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, Version, body::Incoming, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{
    program::Program,
    server_harness::{Ask, Served},
};

/// A certificate authority of the test's own, with its certificate in a file.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub(crate) folder: PathBuf,
}

impl Authority {
    pub(crate) fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("mcp-daktela-authority-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mut params = CertificateParams::default();
        // Two of the same name would be told apart by their keys only.
        params
            .distinguished_name
            .push(DnType::CommonName, format!("Authority {number}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("a certificate");
        fs::write(folder.join("authority.pem"), issuer.pem()).expect("a file");
        Authority { issuer, folder }
    }

    pub(crate) fn file(&self) -> String {
        self.path("authority.pem")
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().expect("a path").to_owned()
    }

    /// For `localhost`, the authority itself, as people make who want one file for all.
    pub(crate) fn certify_itself(&self) -> Certified {
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        fs::write(self.file(), certificate.pem()).expect("a file");
        Certified {
            certificate: certificate.pem(),
            der: certificate.der().clone(),
            key,
        }
    }

    /// For a name, that was good or is.
    pub(crate) fn certify(&self, name: &str, has_ended: bool) -> Certified {
        let mut params = CertificateParams::new([name.to_owned()]).expect("a name");
        if has_ended {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Certified {
            certificate: certificate.pem(),
            der: certificate.der().clone(),
            key,
        }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

pub(crate) struct Certified {
    certificate: String,
    der: CertificateDer<'static>,
    key: KeyPair,
}

impl Certified {
    /// As files for another server: certificate and key.
    pub(crate) fn write(&self, authority: &Authority) -> [String; 2] {
        [
            ("server.pem", self.certificate.clone()),
            ("server.key", self.key.serialize_pem()),
        ]
        .map(|(name, text)| {
            fs::write(authority.folder.join(name), text).expect("a file");
            authority.path(name)
        })
    }
}

/// What stands before an instance and ends TLS there.
pub(crate) struct Front {
    pub(crate) port: u16,
    /// The address of ours at which each connection came in.
    pub(crate) knocks: Arc<Mutex<Vec<IpAddr>>>,
    versions: Arc<Mutex<Vec<Version>>>,
}

impl Front {
    /// `protocols` as in ALPN. One that speaks HTTP/1.1 hangs up after each answer.
    pub(crate) fn start(demo: &Demo, certified: &Certified, address: &str, protocols: &[&str]) -> Self {
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(certified.key.serialize_der()));
        let mut tls = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certified.der.clone()], key)
            .expect("a certificate and its key");
        tls.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let (knocks, versions) = (
            Arc::<Mutex<Vec<IpAddr>>>::default(),
            Arc::<Mutex<Vec<Version>>>::default(),
        );
        let (ours, origin, address) = ((knocks.clone(), versions.clone()), demo.origin(), address.to_owned());
        let (send, receive) = std::sync::mpsc::channel();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let listener = TcpListener::bind(&address).await.expect("a port");
                let _ = send.send(listener.local_addr().expect("an address"));
                let acceptor = TlsAcceptor::from(Arc::new(tls));
                let client = reqwest::Client::builder().build().expect("a client");
                while let Ok((stream, _)) = listener.accept().await {
                    ours.0
                        .lock()
                        .expect("no panic")
                        .push(stream.local_addr().expect("an address").ip());
                    let (acceptor, client, origin, versions) =
                        (acceptor.clone(), client.clone(), origin.clone(), ours.1.clone());
                    tokio::spawn(async move {
                        let Ok(stream) = acceptor.accept(stream).await else {
                            return;
                        };
                        let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
                        let service = service_fn(move |request: Request<Incoming>| {
                            versions.lock().expect("no panic").push(request.version());
                            pass_on(client.clone(), origin.clone(), request)
                        });
                        let stream = TokioIo::new(stream);
                        let _ = if is_h2 {
                            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
                            server.serve_connection(stream, service).await
                        } else {
                            let mut server = hyper::server::conn::http1::Builder::new();
                            server.keep_alive(false).serve_connection(stream, service).await
                        };
                    });
                }
            });
        });
        let address: SocketAddr = receive.recv().expect("an address");
        Front {
            port: address.port(),
            knocks,
            versions,
        }
    }
}

async fn pass_on(
    client: reqwest::Client,
    origin: String,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (mut head, body) = request.into_parts();
    let target = head.uri.path_and_query().map_or("/", |target| target.as_str());
    let url = format!("{origin}{target}");
    for name in ["host", "content-length", "connection"] {
        head.headers.remove(name);
    }
    let body = body.collect().await.expect("a body").to_bytes();
    let asked = client.request(head.method, url).headers(head.headers).body(body).send();
    let answer = asked.await.expect("the instance answers");
    let mut passed = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if !["transfer-encoding", "content-length", "connection"].contains(&name.as_str()) {
            passed = passed.header(name, value);
        }
    }
    let body = answer.bytes().await.expect("the instance answers");
    Ok(passed.body(Full::new(body)).expect("an answer"))
}

fn count(url: &str, more: &[(&str, &str)]) -> Value {
    let ours = [("DAKTELA_URL", url), ("DAKTELA_ACCESS_TOKEN", TOKEN)];
    Program::start(&[&ours, more].concat()).call("count_tickets", &json!({}))
}

fn text(answer: &Value) -> &str {
    answer["content"][0]["text"].as_str().expect("a text")
}

#[test]
fn an_instance_with_a_certificate_of_the_companys_own_is_read_over_one_connection_of_http_2() {
    let demo = Demo::start().expect("a demo instance");
    let authority = Authority::new();
    let front = Front::start(
        &demo,
        &authority.certify("localhost", false),
        "127.0.0.1:0",
        &["h2", "http/1.1"],
    );
    let url = format!("https://localhost:{}", front.port);
    let mut program = Program::start(&[
        ("DAKTELA_URL", &url),
        ("DAKTELA_ACCESS_TOKEN", TOKEN),
        ("SSL_CERT_FILE", &authority.file()),
    ]);
    for _ in 0..3 {
        assert!(text(&program.call("count_tickets", &json!({}))).contains("244"));
    }
    let tickets = program.call("list_tickets", &json!({"take": 2}));
    let mut plain = Program::start(&[("DAKTELA_URL", &demo.origin()), ("DAKTELA_ACCESS_TOKEN", TOKEN)]);
    let expected = plain.call("list_tickets", &json!({"take": 2}));
    assert_eq!(
        text(&tickets).replace(&url, "ORIGIN"),
        text(&expected).replace(&demo.origin(), "ORIGIN")
    );
    let versions = front.versions.lock().expect("no panic");
    assert!(
        versions.len() >= 4 && versions.iter().all(|version| *version == Version::HTTP_2),
        "{versions:?}"
    );
    assert_eq!(front.knocks.lock().expect("no panic").len(), 1);
}

#[test]
fn an_instance_that_speaks_http_1_only_is_read_as_well() {
    let demo = Demo::start().expect("a demo instance");
    let authority = Authority::new();
    let front = Front::start(
        &demo,
        &authority.certify("localhost", false),
        "127.0.0.1:0",
        &["http/1.1"],
    );
    let url = format!("https://localhost:{}", front.port);
    assert!(text(&count(&url, &[("SSL_CERT_FILE", &authority.file())])).contains("244"));
    assert!(
        front
            .versions
            .lock()
            .expect("no panic")
            .iter()
            .all(|version| *version == Version::HTTP_11)
    );
}

#[test]
fn over_http_a_private_authority_serves_too() {
    let demo = Demo::start().expect("a demo instance");
    let authority = Authority::new();
    let front = Front::start(&demo, &authority.certify("localhost", false), "127.0.0.1:0", &["h2"]);
    let served = Served::start(&[
        ("ALLOWED_DAKTELA_DOMAINS", &format!("localhost:{}", front.port)),
        ("SSL_CERT_FILE", &authority.file()),
    ]);
    let ask = Ask::call("count_tickets", json!({})).read_as(&format!("https://localhost:{}", front.port), TOKEN);
    assert!(served.ask(&ask).text().contains("244"));
}

#[test]
fn a_certificate_that_proves_nothing_is_refused_with_its_reason() {
    let demo = Demo::start().expect("a demo instance");
    let (authority, other) = (Authority::new(), Authority::new());
    for (certified, trusted, words) in [
        (
            other.certify("localhost", false),
            authority.file(),
            "The certificate of your Daktela is not trusted: nobody here knows its authority. If that is your own, name the \
             file with its certificate in SSL_CERT_FILE.",
        ),
        (
            authority.certify("elsewhere.example", false),
            authority.file(),
            "The certificate of your Daktela is not valid (certificate not valid for name \"localhost\"; certificate is only \
             valid for DnsName(\"elsewhere.example\")). Check DAKTELA_URL, and the clock of this machine.",
        ),
    ] {
        let front = Front::start(&demo, &certified, "127.0.0.1:0", &["h2", "http/1.1"]);
        let url = format!("https://localhost:{}", front.port);
        let answer = count(&url, &[("SSL_CERT_FILE", &trusted)]);
        assert_eq!((&answer["isError"], text(&answer)), (&json!(true), words));
        assert!(front.versions.lock().expect("no panic").is_empty(), "nothing was asked");
    }
    let front = Front::start(&demo, &authority.certify_itself(), "127.0.0.1:0", &["h2"]);
    let answer = count(
        &format!("https://localhost:{}", front.port),
        &[("SSL_CERT_FILE", &authority.file())],
    );
    assert_eq!(
        text(&answer),
        "The certificate of your Daktela is an authority's own (CA:TRUE), which no server may show as its. Let the authority \
         sign one for the server, and name the authority's in SSL_CERT_FILE."
    );
    // How long ago differs from day to day.
    let front = Front::start(&demo, &authority.certify("localhost", true), "127.0.0.1:0", &["h2"]);
    let url = format!("https://localhost:{}", front.port);
    let answer = count(&url, &[("SSL_CERT_FILE", &authority.file())]);
    let words = "The certificate of your Daktela is not valid (certificate expired: ";
    assert!(
        answer["isError"] == true && text(&answer).starts_with(words),
        "{answer}"
    );
    assert!(demo.take_requests().is_empty());
}

//! A read-only web page beside the watcher: queue, running with live progress, last results with
//! their reports, search; `/healthz`, and `/metrics` for Prometheus.
//!
//! Invariants: only GET and HEAD are answered, and nothing of a request reaches a file name but a
//! number and a word of a list. Foreign text is escaped; reports run in a sandbox of the browser.
//! The state is only read. On a loopback address, a request that names another host is refused, so
//! that no page of the web can read this one through a name that leads here.
//!
//! The server is hyper on one thread: well kept, and strict where requests are odd. The smaller
//! tiny_http has not been released for years.

mod files;
mod metrics;
mod page;
mod progress;
mod reply;
mod route;

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::Semaphore;

use crate::review::watch::health::Health;
use crate::review::watch::store::{StoreError, View};
use progress::ProgressReader;

/// The most connections at a time.
const CONNECTIONS: usize = 64;

/// The longest time that a request's head may take.
const HEAD_TIME: Duration = Duration::from_secs(10);

/// The longest time of a connection.
const CONNECTION_TIME: Duration = Duration::from_secs(120);

/// The pause after a connection that could not be accepted.
const PAUSE: Duration = Duration::from_millis(200);

/// Everything that pages are made of.
#[derive(Debug)]
pub struct Service {
    /// The directory of the state.
    pub directory: PathBuf,
    /// The pulse of the watcher.
    pub health: Arc<Health>,
    /// The address of the server's web page, for links; without a slash at its end.
    pub server: String,
    progress: Mutex<ProgressReader>,
    /// True if other hosts may be named in requests.
    is_open: bool,
}

impl Service {
    /// Makes the service of a state.
    pub fn new(directory: PathBuf, health: Arc<Health>, server: String) -> Self {
        Self {
            directory,
            health,
            server,
            progress: Mutex::new(ProgressReader::default()),
            is_open: false,
        }
    }

    /// Opens the state. A watcher that has just begun may not have made it yet.
    fn view(&self) -> Result<Option<View>, StoreError> {
        View::open(&self.directory)
    }

    /// Returns the reader of progress.
    fn reader(&self) -> MutexGuard<'_, ProgressReader> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Listens on an address, and answers in a thread of its own. Returns the address, whose port
    /// was chosen if it was 0.
    ///
    /// # Errors
    /// When the address cannot be used, or no thread be had.
    pub fn serve_in_thread(mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        self.is_open = !address.ip().is_loopback();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let service = Arc::new(self);
        let serving = move || {
            if let Err(error) = runtime.block_on(serve(listener, service)) {
                tracing::error!(%error, "the page is not served any more");
            }
        };
        thread::Builder::new()
            .name("service".into())
            .spawn(serving)?;
        Ok(address)
    }
}

async fn serve(listener: TcpListener, service: Arc<Service>) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return Ok(());
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let service = Arc::clone(&service);
        tokio::spawn(async move {
            let answering = service_fn(move |request| answer(Arc::clone(&service), request));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME)
                .serve_connection(TokioIo::new(stream), answering);
            // Whatever goes wrong with a connection is its client's.
            let _ = tokio::time::timeout(CONNECTION_TIME, connection).await;
            drop(place);
        });
    }
}

async fn answer(
    service: Arc<Service>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let head = request.into_parts().0;
    let host = head.headers.get(hyper::header::HOST);
    let asked = route::Asked {
        method: head.method.as_str(),
        path: head.uri.path(),
        query: head.uri.query().unwrap_or(""),
        host: host.and_then(|host| host.to_str().ok()).unwrap_or(""),
    };
    let reply = route::answer(&service, &asked);
    let is_head = head.method == hyper::Method::HEAD;
    let mut response = Response::builder()
        .status(reply.status)
        .header("content-type", reply.kind)
        .header("content-security-policy", reply.policy)
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "no-referrer")
        .header("cache-control", "no-store");
    if reply.status == 405 {
        response = response.header("allow", "GET, HEAD");
    }
    if is_head {
        response = response.header("content-length", reply.body.len());
    }
    let body = if is_head {
        Bytes::new()
    } else {
        reply.body.into()
    };
    // The parts are all of this program, so they make a response.
    Ok(response.body(Full::new(body)).unwrap_or_default())
}

#[cfg(test)]
mod tests;

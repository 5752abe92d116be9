//! A name looked up and connected to by the door itself, so that what was checked is what is reached.

use crate::{
    Error,
    addresses::{Place, place},
    hosts::Target,
};
use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::TcpStream,
    time::{sleep, timeout},
};

/// How long one address is given before the next is tried beside it (RFC 8305's recommended 250 ms).
const HEAD_START: Duration = Duration::from_millis(250);

/// Looks names up. A trait so that a test can let a name lead somewhere else each time.
pub trait Resolve: Send + Sync + 'static {
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>>;
}

/// The operating system's resolver.
pub struct SystemNames;

impl Resolve for SystemNames {
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'_, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// Connects to `target` within `limit`. `private`: may it be on this computer or the owner's network?
pub(crate) async fn dial(
    names: &dyn Resolve,
    target: &Target,
    private: bool,
    limit: Duration,
) -> Result<TcpStream, Error> {
    timeout(limit, async {
        let addresses = checked(names, target, private).await?;
        let stream = first_to_connect(addresses).await.map_err(|cause| Error::unreachable(&target.host, cause))?;
        not_ourselves(&stream, target, private)?;
        let _ = stream.set_nodelay(true);
        Ok(stream)
    })
    .await
    .unwrap_or_else(|_| Err(Error::timed_out(&target.host)))
}

/// All addresses of the target. One that may not be reached spoils them all: an honest name has none such.
async fn checked(names: &dyn Resolve, target: &Target, private: bool) -> Result<Vec<SocketAddr>, Error> {
    let addresses = match target.address() {
        Some(address) => vec![SocketAddr::new(address, target.port)],
        None => names
            .resolve(target.host.clone(), target.port)
            .await
            .map_err(|cause| Error::unreachable(&target.host, cause))?,
    };
    for address in &addresses {
        check(address.ip(), &target.host, private)?;
    }
    // The port asked for, whatever a resolver says.
    Ok(addresses.into_iter().map(|a| SocketAddr::new(a.ip(), target.port)).collect())
}

/// Whether an address may be connected to.
pub(crate) fn check(address: IpAddr, host: &str, private: bool) -> Result<(), Error> {
    match place(address) {
        Place::Public => Ok(()),
        Place::Private(_) if private => Ok(()),
        Place::Private(what) | Place::Never(what) => Err(Error::Forbidden { host: host.to_owned(), what }),
    }
}

/// A connection to one of this computer's own public addresses has that address at both ends: as private as loopback.
fn not_ourselves(stream: &TcpStream, target: &Target, private: bool) -> Result<(), Error> {
    let ends = stream.local_addr().and_then(|local| Ok((local.ip(), stream.peer_addr()?.ip())));
    match ends {
        Ok((local, peer)) if local != peer || private => Ok(()),
        _ => Err(Error::Forbidden { host: target.host.clone(), what: "this computer" }),
    }
}

async fn first_to_connect(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let mut waiting = addresses.into_iter();
    let mut trying = FuturesUnordered::new();
    loop {
        if let Some(address) = waiting.next() {
            trying.push(TcpStream::connect(address));
        } else if trying.is_empty() {
            return Err(last);
        }
        tokio::select! {
            biased;
            Some(tried) = trying.next() => match tried {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            },
            () = sleep(HEAD_START), if waiting.len() > 0 => {}
        }
    }
}

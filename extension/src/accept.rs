//! A bound socket → its connections, each served by a task of its own, so many at a time: the loop of everything here
//! that listens. They end with whoever runs it.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Out of file descriptors, for instance: not a reason to spin, and nothing that lasts.
const PAUSE: Duration = Duration::from_millis(20);

/// Serves up to `connections_max` at a time; others wait for `accept`. Never returns.
pub(crate) async fn all<F>(socket: &TcpListener, connections_max: usize, serve: impl Fn(TcpStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let connections = Arc::new(Semaphore::new(connections_max));
    let mut open = JoinSet::new();
    loop {
        while open.try_join_next().is_some() {}
        let Ok(place) = connections.clone().acquire_owned().await else { return };
        match socket.accept().await {
            Ok((stream, _)) => {
                // Answers are one small write each: waiting for more would only delay them.
                let _ = stream.set_nodelay(true);
                let connection = serve(stream);
                open.spawn(async move {
                    connection.await;
                    drop(place);
                });
            }
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

//! The thread that all children are started from.
//!
//! The kernel's parent-death signal follows the *thread* that started a child. A thread of the async runtime may end
//! while the process goes on (it was lent to blocking work), and would take functions with it; this one stays.

use std::io;
use std::sync::OnceLock;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

struct Order {
    command: Command,
    /// Where the child's pipes and its end are waited for.
    runtime: Handle,
    done: oneshot::Sender<io::Result<Child>>,
}

/// Starts the command from the launcher's thread.
pub(super) async fn launch(command: Command) -> io::Result<Child> {
    static ORDERS: OnceLock<mpsc::Sender<Order>> = OnceLock::new();
    let orders = ORDERS.get_or_init(|| {
        let (orders, queue) = mpsc::channel();
        // If it cannot be started the queue is closed, and every launch says so.
        let _ = std::thread::Builder::new().name("launcher".to_owned()).spawn(move || work(&queue));
        orders
    });
    let (done, started) = oneshot::channel();
    let gone = || io::Error::other("the launcher thread has ended");
    orders.send(Order { command, runtime: Handle::current(), done }).map_err(|_| gone())?;
    started.await.map_err(|_| gone())?
}

fn work(queue: &mpsc::Receiver<Order>) {
    for mut order in queue {
        let entered = order.runtime.enter();
        let child = order.command.spawn();
        drop(entered);
        // Nobody waits any more: the child is killed when it is dropped.
        let _ = order.done.send(child);
    }
}

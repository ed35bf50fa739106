//! A fault around one POST: everything stops while it is on its way, or soon after its answer. The environment's task
//! does the stopping; it is asked through its inbox.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::apis::Inbox;
use crate::fault::{Dice, Stop};
use crate::message::Message;

/// What was drawn for a batch; it strikes once.
#[derive(Debug, Default)]
pub(super) struct Disturbance {
    drawn: Option<(Stop, Inbox)>,
}

impl Disturbance {
    pub(super) fn drawn(dice: Option<&mut Dice>, inbox: &Inbox) -> Self {
        let stop = dice.and_then(Dice::stop);
        Self { drawn: stop.map(|stop| (stop, inbox.clone())) }
    }

    /// The connection stands; the request is about to be written.
    pub(super) async fn before(&mut self) {
        if let Some((Stop::Before(length), inbox)) = &self.drawn {
            stop(inbox, *length).await;
            self.drawn = None;
        }
    }

    /// The batch has been answered.
    pub(super) async fn after(self) {
        if let Some((Stop::After { pause, length }, inbox)) = self.drawn {
            tokio::time::sleep(pause).await;
            stop(&inbox, length).await;
        }
    }
}

/// Returns once everything has stopped. An environment that has gone has stopped, too.
async fn stop(inbox: &Inbox, length: Duration) {
    let (stopped, is_stopped) = oneshot::channel();
    if inbox.send(Message::Stop { length, stopped }).await.is_ok() {
        let _ = is_stopped.await;
    }
}

//! Tells a client that asked for it how many upstream requests of its call are done.

use crate::gate::Call;
use rmcp::{
    RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
    service::Peer,
};
use std::future::Future;

/// A call of one request is over before anybody could look.
const FIRST_NEWS: u64 = 2;

/// Runs `work`, with news to `peer` on the way. None comes after the work is done.
pub(super) async fn report<T>(
    work: impl Future<Output = T>,
    call: &Call,
    token: Option<ProgressToken>,
    peer: &Peer<RoleServer>,
) -> T {
    let Some(token) = token else { return work.await };
    let mut finished = call.finished();
    tokio::pin!(work);
    loop {
        let count = tokio::select! {
            biased;
            done = &mut work => return done,
            changed = finished.changed() => match changed {
                Ok(()) => *finished.borrow_and_update(),
                // The call is gone, and the work with it in a moment.
                Err(_) => return work.await,
            },
        };
        if count >= FIRST_NEWS {
            #[expect(clippy::cast_precision_loss, reason = "a call has at most a thousand requests")]
            let news = ProgressNotificationParam::new(token.clone(), count as f64)
                .with_message(format!("{count} answers from Daktela"));
            // A client that does not listen any longer will cancel, or not; the call goes on meanwhile.
            let _ = peer.notify_progress(news).await;
        }
    }
}
